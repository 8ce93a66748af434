//! Types that are made of others: arrays, domains, enums, composites, ranges.

use super::super::catalogue::{Catalogue, Oid, Type, TypeKind};
use super::built_in;
use super::profile::{Kind, Profile, choice};

/// Types within types; a type that holds itself comes to its end here.
const DEPTH_MAX: usize = 8;

/// Of a column with this type, modifier and name.
pub(in super::super) fn profile(
    catalogue: &Catalogue,
    oid: Oid,
    modifier: i32,
    column: &str,
) -> Profile {
    within(catalogue, oid, modifier, column, DEPTH_MAX)
}

fn within(c: &Catalogue, oid: Oid, modifier: i32, column: &str, depth: usize) -> Profile {
    let Some(known) = c.type_of(oid).filter(|_| depth > 0) else { return Profile::default() };
    let of = |oid: Oid, modifier| within(c, oid, modifier, column, depth - 1);
    match known.kind {
        TypeKind::Enum => Profile {
            candidates: known.labels.clone(),
            natural: Some(choice(&known.labels)),
            ..Profile::default()
        },
        TypeKind::Domain => {
            let base = known.base.map(|base| of(base, known.type_modifier)).unwrap_or_default();
            // What its CHECKs take is asked first.
            let natural = base.natural.clone().filter(|_| known.checks.is_empty());
            Profile { natural, ..base }
        }
        TypeKind::Composite => composite(c, known, depth),
        TypeKind::Range => known
            .base
            .and_then(|base| c.type_of(base))
            .map_or_else(Profile::default, |bounds| range(&bounds.name, &of(bounds.oid, -1))),
        TypeKind::Multirange => {
            let ranges = known.base.map(|base| of(base, -1)).unwrap_or_default();
            let braced = |range: &String| format!("{{{range}}}");
            let mut candidates: Vec<String> = ranges.candidates.iter().map(braced).collect();
            candidates.push("{}".to_owned());
            Profile { candidates, ..Profile::default() }
        }
        TypeKind::Base | TypeKind::Pseudo => match known.element {
            Some(element) if !matches!(known.name.as_str(), "int2vector" | "oidvector") => {
                array(&of(element, modifier), c.type_of(element))
            }
            _ => built_in::profile(&known.name, modifier, column),
        },
    }
}

fn array(elements: &Profile, element: Option<&Type>) -> Profile {
    // The one type whose arrays have another separator.
    let separator = if element.is_some_and(|e| e.name == "box") { ";" } else { "," };
    let quoted = |text: &String| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let texts: Vec<String> = elements.candidates.iter().map(quoted).collect();
    let mut candidates = Vec::new();
    candidates.extend(texts.iter().take(8).map(|text| format!("{{{text}}}")));
    for length in [2, 3, 4, 5, 10] {
        let parts: Vec<String> = texts.iter().cycle().take(length).cloned().collect();
        if parts.len() == length {
            candidates.push(format!("{{{}}}", parts.join(separator)));
        }
    }
    candidates.push("{}".to_owned());
    Profile { kind: Kind::Array, candidates, ..Profile::default() }
}

fn composite(c: &Catalogue, known: &Type, depth: usize) -> Profile {
    let columns: Vec<Profile> = known
        .attributes
        .iter()
        .map(|a| within(c, a.type_oid, a.type_modifier, &a.name, depth - 1))
        .collect();
    let row = |index: usize| {
        let field = |column: &Profile| match column.candidates.len() {
            0 => String::new(),
            several => {
                let text = column.candidates[index % several].as_str();
                format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            }
        };
        format!("({})", columns.iter().map(field).collect::<Vec<_>>().join(","))
    };
    Profile { candidates: (0..12).map(row).collect(), ..Profile::default() }
}

fn range(bounds_name: &str, bounds: &Profile) -> Profile {
    let (candidates, template): (Vec<String>, &str) = match bounds_name {
        "int2" | "int4" | "int8" | "numeric" | "float8" | "float4" => (
            ["[1,10)", "[10,20)", "[0,1)", "[5,100)", "empty", "[1,)"].map(str::to_owned).into(),
            "[{n*10},{n*10+5})",
        ),
        "date" => (
            ["[2024-01-01,2024-02-01)", "[2023-06-15,2023-06-20)", "[2024-01-01,)", "empty"]
                .map(str::to_owned)
                .into(),
            "[{n*3:date},{n*3+2:date})",
        ),
        "timestamp" | "timestamptz" => (
            [
                "[2024-01-01 00:00:00+00,2024-01-01 01:00:00+00)",
                "[2023-06-15 12:00:00+00,2023-06-16 12:00:00+00)",
                "[2024-01-01 00:00:00+00,)",
                "empty",
            ]
            .map(str::to_owned)
            .into(),
            "[{n*3600:time},{n*3600+1800:time})",
        ),
        _ => {
            let of = |text: &String| format!("[\"{text}\",\"{text}\"]");
            (bounds.candidates.iter().take(8).map(of).chain(["empty".to_owned()]).collect(), "")
        }
    };
    let templates = if template.is_empty() { Vec::new() } else { vec![template.to_owned()] };
    Profile { candidates, templates, ..Profile::default() }
}
