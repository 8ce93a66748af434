//! Text into HTML. Everything that a page says passes through here: statements, errors and names
//! come from the author of the change, and a page is opened by other people.

/// For text between tags and for attributes in double quotes.
pub fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // A browser replaces what is no character, and drops NUL.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// JSON for a script element, which ends at the first `</script`, at any position.
pub fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()).replace('<', "\\u003c")
}

/// The first of the characters, with a sign that there are more.
pub fn cut(raw: &str, most: usize) -> String {
    match raw.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", raw[..end].trim_end()),
        None => raw.to_owned(),
    }
}

pub fn paragraph(class: &str, raw: &str) -> String {
    format!("<p class=\"{class}\">{}</p>\n", text(raw))
}

/// Empty where there is nothing to list.
pub fn list(class: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.iter().map(|item| format!("<li>{}</li>\n", text(item))).collect();
    format!("<ul class=\"{class}\">\n{items}</ul>\n")
}

/// A table that scrolls by itself where the page is narrow. Cells are HTML already.
pub fn table(name: &str, class: &str, head: &[String], rows: &[Vec<String>]) -> String {
    let head: String = head.iter().map(|cell| format!("<th scope=\"col\">{cell}</th>")).collect();
    let row = |cells: &Vec<String>| -> String {
        let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = rows.iter().map(row).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\
         <table class=\"{class}\">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table></div>\n",
        text(name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_open_a_tag_or_close_an_attribute() {
        assert_eq!(text("<b a='\"&'>"), "&lt;b a=&#39;&quot;&amp;&#39;&gt;");
        assert_eq!(text("\u{1b}[0m\u{0}\n"), "\u{fffd}[0m\u{fffd}\n");
    }

    #[test]
    fn no_value_can_close_the_script_that_holds_it() {
        assert_eq!(json(&"</script><!--"), "\"\\u003c/script>\\u003c!--\"");
    }

    #[test]
    fn a_text_is_cut_at_characters_not_at_bytes() {
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
