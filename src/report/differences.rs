//! What differs between two schemas, for a terminal: object by object, a line per property, and a
//! diff of lines where a definition has several.

use anstyle::{AnsiColor, Style};

use crate::schema::{Difference, Fingerprint};

use super::text::{DIM, Text, Width, columns, rows_of};

const NEW: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const GONE: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const CHANGED: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
/// Lines that are the same on both sides and are shown beside those that are not.
const CONTEXT_LINES: usize = 2;
/// Columns before the lines of a definition, and those on which one of them goes on.
const DEFINITION: usize = 10;
/// Lines of one side times lines of the other, beyond which both are shown whole.
const COMPARED_MAX: usize = 4_000_000;

/// The text of the differences, in their order; `from` and `to` tell what is in an object that only
/// one of them has.
pub fn differences(
    from: &Fingerprint,
    to: &Fingerprint,
    differences: &[Difference],
    width: Width,
) -> String {
    let mut out = Text::new(width);
    let mut last = None;
    for difference in differences {
        let object = difference.object.as_str();
        match (from.objects.get(object), to.objects.get(object)) {
            (None, Some(properties)) => write_whole(&mut out, '+', NEW, object, properties),
            (Some(properties), None) => write_whole(&mut out, '-', GONE, object, properties),
            _ => {
                if last != Some(object) {
                    write_object(&mut out, '~', CHANGED, object);
                }
                write_change(&mut out, difference);
            }
        }
        last = Some(object);
    }
    out.into_string()
}

fn write_whole<'p>(
    out: &mut Text,
    sign: char,
    style: Style,
    object: &str,
    properties: impl IntoIterator<Item = (&'p String, &'p String)>,
) {
    write_object(out, sign, style, object);
    let sign = format!("{style}{sign}{style:#}");
    for (property, value) in properties {
        if fits(out.width, property, value) {
            out.line(&format!("    {DIM}{property}:{DIM:#} {value}"));
            continue;
        }
        out.line(&format!("    {DIM}{property}:{DIM:#}"));
        for line in value.lines() {
            write_line(out, &sign, Style::new(), line);
        }
    }
}

fn write_change(out: &mut Text, difference: &Difference) {
    let Difference { property, from, to, .. } = difference;
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
    let (was, is) = (side(from), side(to));
    let change = format!("{was} -> {is}");
    if fits(out.width, property, &change) && !was.contains('\n') && !is.contains('\n') {
        let change = format!("{GONE}{was}{GONE:#} -> {NEW}{is}{NEW:#}");
        out.line(&format!("    {DIM}{property}:{DIM:#} {change}"));
        return;
    }
    out.line(&format!("    {DIM}{property}:{DIM:#}"));
    let (was, is) = match (was.strip_suffix('\n'), is.strip_suffix('\n')) {
        (Some(was), Some(is)) => (was, is),
        _ => (was.as_str(), is.as_str()),
    };
    for line in in_context(compared(was, is)) {
        match line {
            Line::Gone(text) => write_line(out, &format!("{GONE}-{GONE:#}"), GONE, text),
            Line::New(text) => write_line(out, &format!("{NEW}+{NEW:#}"), NEW, text),
            Line::Same(text) => write_line(out, " ", Style::new(), text),
            Line::Skipped => out.line(&format!("      {DIM}…{DIM:#}")),
        }
    }
}

/// A line of a definition below its sign; what does not fit goes on farther right.
fn write_line(out: &mut Text, sign: &str, style: Style, line: &str) {
    let room = out.width.columns() - DEFINITION;
    for (index, row) in rows_of(line, room).iter().enumerate() {
        let lead = if index == 0 { format!("      {sign} ") } else { " ".repeat(DEFINITION) };
        out.line(&format!("{lead}{style}{row}{style:#}"));
    }
}

fn write_object(out: &mut Text, sign: char, style: Style, object: &str) {
    for (index, row) in rows_of(object, out.width.columns() - 4).iter().enumerate() {
        let lead = if index == 0 { format!("{sign} ") } else { "    ".to_owned() };
        out.line(&format!("{style}{lead}{row}{style:#}"));
    }
}

fn fits(width: Width, property: &str, value: &str) -> bool {
    !value.contains('\n') && 6 + columns(property) + columns(value) <= width.columns()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'t> {
    Gone(&'t str),
    New(&'t str),
    Same(&'t str),
    /// Lines that are the same, away from any that is not.
    Skipped,
}

/// The lines of both, by a longest common subsequence. Ends of texts that differ in their last line
/// break alone are separated by an empty line.
pub(super) fn compared<'t>(from: &'t str, to: &'t str) -> Vec<Line<'t>> {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('\n').collect(), to.split('\n').collect());
    let (height, width) = (from.len(), to.len());
    if height.saturating_mul(width) > COMPARED_MAX {
        let gone = from.into_iter().map(Line::Gone);
        return gone.chain(to.into_iter().map(Line::New)).collect();
    }
    // Length of the longest common subsequence of what follows, for each pair of places.
    let mut common = vec![vec![0_u32; width + 1]; height + 1];
    for (row, left) in from.iter().enumerate().rev() {
        for (column, right) in to.iter().enumerate().rev() {
            common[row][column] = match left == right {
                true => common[row + 1][column + 1] + 1,
                false => common[row + 1][column].max(common[row][column + 1]),
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut lines = Vec::new();
    while row < height || column < width {
        if row < height && column < width && from[row] == to[column] {
            lines.push(Line::Same(from[row]));
            (row, column) = (row + 1, column + 1);
        } else if row < height
            && (column == width || common[row + 1][column] >= common[row][column + 1])
        {
            lines.push(Line::Gone(from[row]));
            row += 1;
        } else {
            lines.push(Line::New(to[column]));
            column += 1;
        }
    }
    lines
}

/// Only the lines that differ and those beside them.
pub(super) fn in_context(lines: Vec<Line<'_>>) -> Vec<Line<'_>> {
    let differs = |line: &Line<'_>| !matches!(line, Line::Same(_));
    let mut shown = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let near = at.saturating_sub(CONTEXT_LINES)..(at + CONTEXT_LINES + 1).min(lines.len());
        if lines[near].iter().any(differs) {
            shown.push(*line);
        } else if shown.last() != Some(&Line::Skipped) {
            shown.push(Line::Skipped);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(from: &[(&str, &str, &str)], to: &[(&str, &str, &str)]) -> String {
        let fingerprint = |rows: &[(&str, &str, &str)]| {
            let mut found = Fingerprint::default();
            rows.iter()
                .for_each(|(object, property, v)| found.insert("table", object, property, v));
            found
        };
        let (from, to) = (fingerprint(from), fingerprint(to));
        let text = differences(&from, &to, &from.diff(&to), Width::default());
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn an_object_is_told_once_with_each_property_that_changed() {
        let text = shown(
            &[("t", "kind", "table"), ("t", "options", "a=1"), ("t", "rows", "same")],
            &[("t", "kind", "view"), ("t", "rows", "same"), ("t", "comment", "c")],
        );
        assert_eq!(
            text,
            "~ table t\n    comment: not set -> c\n    kind: table -> view\n    \
             options: a=1 -> not set\n"
        );
    }

    #[test]
    fn an_object_of_one_side_is_told_with_all_it_has() {
        let text = shown(&[("old", "kind", "table")], &[("new", "definition", "a\nb")]);
        assert_eq!(
            text,
            "+ table new\n    definition:\n      + a\n      + b\n- table old\n    kind: table\n"
        );
    }

    #[test]
    fn of_a_long_definition_the_lines_that_changed_are_shown_and_those_beside() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9";
        let text = shown(
            &[("t", "definition", before)],
            &[("t", "definition", &before.replace('5', "five"))],
        );
        let wanted = "~ table t\n    definition:\n      …\n        3\n        4\n      - 5\n      \
                    + five\n        6\n        7\n      …\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn a_long_line_stands_below_the_one_that_it_replaces() {
        let (before, after) = ("a".repeat(90), "b".repeat(90));
        let text = shown(&[("t", "check", &before)], &[("t", "check", &after)]);
        assert_eq!(text, format!("~ table t\n    check:\n      - {before}\n      + {after}\n"));
    }

    proptest! {
        #[test]
        fn either_side_can_be_read_off_the_lines(from in "[ab\n]{0,12}", to in "[ab\n]{0,12}") {
            let lines = compared(&from, &to);
            let side = |wanted: fn(&Line<'_>) -> bool| {
                let kept = lines.iter().filter(|l| matches!(l, Line::Same(_)) || wanted(l));
                let texts: Vec<&str> = kept
                    .map(|line| match line {
                        Line::Gone(text) | Line::New(text) | Line::Same(text) => text,
                        Line::Skipped => "",
                    })
                    .collect();
                texts.join("\n")
            };
            prop_assert_eq!(side(|l| matches!(l, Line::Gone(_))), from.clone());
            prop_assert_eq!(side(|l| matches!(l, Line::New(_))), to.clone());
        }
    }
}
