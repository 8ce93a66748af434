//! What the change left of the schema it found: object by object, as a diff.

use std::fmt::Write;

use crate::report::differences::{Line, compared, in_context};
use crate::schema::Difference;

use super::html::{paragraph, text};

pub fn schema(differences: &[Difference]) -> String {
    let mut out = String::from("<h3>Schema, from before the change to the end</h3>\n");
    if differences.is_empty() {
        out.push_str(&paragraph("", "It is the same."));
        return out;
    }
    out.push_str("<div class=\"diff\">\n");
    let mut last = None;
    for difference in differences {
        if last.replace(&difference.object) != Some(&difference.object) {
            let (sign, class) = match (is_whole(difference), &difference.from) {
                (true, None) => ("+", "new"),
                (true, Some(_)) => ("−", "gone"),
                (false, _) => ("~", "changed"),
            };
            let object = text(&difference.object);
            let _ = writeln!(out, "<h4 class=\"{class}\"><b>{sign}</b> {object}</h4>");
        }
        write_change(&mut out, difference);
    }
    out.push_str("</div>\n");
    out
}

/// Whether the object itself is new or gone.
fn is_whole(difference: &Difference) -> bool {
    difference.property == "object" && (difference.from.is_none() || difference.to.is_none())
}

fn write_change(out: &mut String, difference: &Difference) {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
    if is_whole(difference) {
        let properties = difference.to.as_ref().or(difference.from.as_ref());
        let _ = writeln!(out, "<p>{}</p>", text(&side(&properties.cloned())));
        return;
    }
    let (was, is) = (side(&difference.from), side(&difference.to));
    let property = text(&difference.property);
    if !was.contains('\n') && !is.contains('\n') {
        let _ = writeln!(
            out,
            "<p>{property}: <del>{}</del> → <ins>{}</ins></p>",
            text(&was),
            text(&is)
        );
        return;
    }
    let _ = write!(out, "<p>{property}:</p>\n<pre tabindex=\"0\">");
    for line in in_context(compared(was.trim_end(), is.trim_end())) {
        let _ = match line {
            Line::Gone(line) => writeln!(out, "<del>- {}</del>", text(line)),
            Line::New(line) => writeln!(out, "<ins>+ {}</ins>", text(line)),
            Line::Same(line) => writeln!(out, "  {}", text(line)),
            Line::Skipped => writeln!(out, "  …"),
        };
    }
    out.push_str("</pre>\n");
}
