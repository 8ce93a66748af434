//! What every page has around it: style, script, the button for the colour scheme.

use super::html::text;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");
/// Nothing is loaded from anywhere, whatever a text of the history contains.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The whole file; `main` is HTML already.
pub fn frame(title: &str, main: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">to the verdict</a>\n\
         <button type=\"button\" id=\"scheme\" hidden>dark</button>\n<main id=\"main\">\n\
         {main}</main>\n<dialog id=\"stall\" aria-labelledby=\"stall-title\">\
         <h2 id=\"stall-title\" tabindex=\"-1\" autofocus></h2><div id=\"stall-body\"></div>\
         <form method=\"dialog\"><button>close</button></form></dialog>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        text(title)
    )
}
