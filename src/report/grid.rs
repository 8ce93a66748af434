//! Tables for a terminal. Where a table is wider than the text, its cells of words go on in the
//! next line; where that is not enough, what names a row has a line of its own above the row's
//! numbers; where not even those fit, each is in a paragraph with its head. A number is never cut.

use anstyle::Style;

use super::text::{Text, columns, pieces, wrapped};

/// Blanks between two columns.
const GAP: usize = 2;
/// Columns that a word may claim before it is broken: the longest name of a lock mode.
const WORD_MAX: usize = 24;
/// What a name keeps before it gets a line of its own.
const NAME_MIN: usize = 20;
/// What a cell of words keeps, whatever the width.
const WORDS_MIN: usize = 8;

/// What a column holds, and so what becomes of it where there is little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Aligned right, never broken.
    Number,
    /// Aligned left, never broken: a word from a short list.
    Word,
    /// Aligned left, wrapped.
    Words,
    /// What names the row: wrapped last.
    Name,
}

pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(super) fn styled(text: impl Into<String>, style: Style) -> Cell {
        Cell { text: text.into(), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::styled(text, Style::new())
    }
}

/// A table with a head; lines of a head may be broken by the caller.
pub(super) struct Grid {
    /// Blanks before the first column.
    lead: usize,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    /// Characters of a name at the usual width; None: a name is never cut.
    name_max: Option<usize>,
}

impl Grid {
    pub(super) fn new<H: Into<Cell>>(
        lead: usize,
        columns: &[Column],
        head: impl IntoIterator<Item = H>,
    ) -> Grid {
        let head = head.into_iter().map(Into::into).collect();
        Grid { lead, columns: columns.to_vec(), rows: vec![head], name_max: None }
    }

    pub(super) fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Names are cut: at so many characters, later where a wider text has room for more.
    pub(super) fn with_names_up_to(self, name_max: usize) -> Grid {
        Grid { name_max: Some(name_max), ..self }
    }

    pub(super) fn write(mut self, out: &mut Text) {
        let room = out.width.columns().saturating_sub(self.lead);
        if let Some(usual) = self.name_max {
            self.cut_names(usual, out.width.at_least(usual), room);
        }
        let all: Vec<usize> = (0..self.columns.len()).collect();
        let widths = self.fitted(&all, room);
        if total(&widths) <= room {
            self.rows.iter().for_each(|row| self.write_row(out, self.lead, row, &all, &widths));
            return;
        }
        let name = self.name();
        let (name, others): (Vec<usize>, Vec<usize>) =
            all.into_iter().partition(|at| Some(*at) == name);
        let widths = self.fitted(&others, room.saturating_sub(GAP));
        if total(&widths) + GAP > room {
            self.write_list(out, &name, &others);
            return;
        }
        for row in &self.rows {
            self.write_row(out, self.lead, row, &name, &[room]);
            self.write_row(out, self.lead + GAP, row, &others, &widths);
        }
    }

    fn name(&self) -> Option<usize> {
        self.columns.iter().position(|column| *column == Column::Name)
    }

    /// Between `usual` and `most` characters stay: as many as leave the other cells their room.
    fn cut_names(&mut self, usual: usize, most: usize, room: usize) {
        let Some(name) = self.name() else { return };
        let others: Vec<usize> = (0..self.columns.len()).filter(|at| *at != name).collect();
        let others: Vec<usize> = others.into_iter().map(|at| self.natural(at)).collect();
        // The mark of what was cut takes a column.
        let free = room.saturating_sub(total(&others) + GAP + 1);
        let max = free.clamp(usual, most);
        for cell in self.rows.iter_mut().skip(1).filter_map(|row| row.get_mut(name)) {
            cell.text = cut(&cell.text, max);
        }
    }

    /// Each row as a paragraph, its cells with their heads.
    fn write_list(&self, out: &mut Text, name: &[usize], others: &[usize]) {
        let Some((heads, rows)) = self.rows.split_first() else { return };
        let (room, lead) = (out.width.columns().saturating_sub(self.lead), " ".repeat(self.lead));
        for row in rows {
            self.write_row(out, self.lead, row, name, &[room]);
            let cells = others.iter().filter_map(|at| Some((heads.get(*at)?, row.get(*at)?)));
            let words = cells.map(|(head, Cell { text, style })| {
                let text = format!("{style}{text}{style:#}");
                format!("{} {text}", head.text.replace('\n', " ")).trim().to_owned()
            });
            out.paragraph(&format!("{lead}  "), &words.collect::<Vec<_>>().join(" · "));
        }
    }

    /// The widths of these columns: as wide as their cells, else narrowed until they fit, the
    /// widest first, names last; wider than the room where nothing can be narrowed.
    fn fitted(&self, which: &[usize], room: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = which.iter().map(|at| self.natural(*at)).collect();
        let rounds: [fn(Column) -> bool; 2] = [|c| c != Column::Name, |_| true];
        for is_narrowed in rounds {
            let least: Vec<usize> = which.iter().map(|at| self.least(*at)).collect();
            while total(&widths) > room {
                let narrowed = (0..which.len())
                    .filter(|i| is_narrowed(self.columns[which[*i]]) && widths[*i] > least[*i])
                    .max_by_key(|i| widths[*i]);
                let Some(i) = narrowed else { break };
                widths[i] -= 1;
            }
        }
        widths
    }

    fn natural(&self, column: usize) -> usize {
        self.longest(column, |text| text.lines().map(columns).max())
    }

    /// The width below which a number or a word of ordinary length would be broken.
    fn least(&self, column: usize) -> usize {
        let word = self.longest(column, |text| text.split_whitespace().map(columns).max());
        let natural = self.natural(column);
        match self.columns[column] {
            Column::Number | Column::Word => {
                let body = self.rows.iter().skip(1).filter_map(|row| row.get(column));
                body.map(|cell| columns(&cell.text)).max().unwrap_or(0).max(word)
            }
            Column::Words => word.min(WORD_MAX).max(WORDS_MIN.min(natural)),
            Column::Name => NAME_MIN.min(natural),
        }
    }

    fn longest(&self, column: usize, of: impl Fn(&str) -> Option<usize>) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.filter_map(|cell| of(&cell.text)).max().unwrap_or(0)
    }

    /// A row in as many lines as its highest cell takes; an empty cell alone takes none.
    fn write_row(
        &self,
        out: &mut Text,
        lead: usize,
        row: &[Cell],
        which: &[usize],
        widths: &[usize],
    ) {
        let cells: Vec<(Vec<String>, Style, Column)> = which
            .iter()
            .zip(widths)
            .filter_map(|(at, width)| Some((row.get(*at)?, *width, self.columns[*at])))
            .map(|(cell, width, column)| (lines_of(&cell.text, width), cell.style, column))
            .collect();
        let height = cells.iter().map(|(lines, ..)| lines.len()).max().unwrap_or(0);
        for at in 0..height {
            let mut line = " ".repeat(lead);
            for ((lines, style, column), width) in cells.iter().zip(widths) {
                let text = lines.get(at).map_or("", String::as_str);
                let blanks = " ".repeat(width.saturating_sub(columns(text)));
                let styled = match text.is_empty() {
                    true => String::new(),
                    false => format!("{style}{text}{style:#}"),
                };
                match column {
                    Column::Number => line.push_str(&(blanks + &styled)),
                    _ => line.push_str(&(styled + &blanks)),
                }
                line.push_str(&" ".repeat(GAP));
            }
            out.line(line.trim_end());
        }
    }
}

/// The first characters, with a mark where there are more.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// The text in lines of at most this width. Where it fits, its blanks are as they were.
fn lines_of(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        if columns(line) <= width {
            lines.push(line.to_owned());
            continue;
        }
        for line in wrapped(line, width) {
            lines.extend(pieces(&line, width).into_iter().map(str::to_owned));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::text::Width;
    use super::*;

    fn grid() -> Grid {
        let columns = [Column::Name, Column::Number, Column::Words];
        let mut grid = Grid::new(3, &columns, ["statement", "took at most", "held"]);
        grid.row(["UPDATE a SET b = c WHERE d IS NULL", "1,234,567 ms", "a AccessExclusiveLock"]);
        grid.row(["COMMIT", "1 ms", ""]);
        grid
    }

    fn shown(grid: Grid, columns: usize) -> Vec<String> {
        let mut out = Text::new(Width::of_terminal(columns));
        grid.write(&mut out);
        out.into_string().lines().map(str::to_owned).collect()
    }

    #[test]
    fn with_room_a_row_is_a_line() {
        let expected = [
            "   statement                           took at most  held",
            "   UPDATE a SET b = c WHERE d IS NULL  1,234,567 ms  a AccessExclusiveLock",
            "   COMMIT                                      1 ms",
        ];
        assert_eq!(shown(grid(), 100), expected);
    }

    #[test]
    fn with_less_room_words_go_on_in_the_next_line_and_a_number_is_whole() {
        let expected = [
            "   statement               took at most  held",
            "   UPDATE a SET b = c      1,234,567 ms  a",
            "   WHERE d IS NULL                       AccessExclusiveLock",
            "   COMMIT                          1 ms",
        ];
        assert_eq!(shown(grid(), 60), expected);
    }

    #[test]
    fn without_room_a_name_has_a_line_of_its_own() {
        let numbers = [Column::Number; 5];
        let columns: Vec<Column> = [Column::Name].into_iter().chain(numbers).collect();
        let mut grid = Grid::new(1, &columns, ["name", "a", "b", "c", "d", "e"]);
        grid.row(["a name of some length"].into_iter().chain(["1,000,000"; 5]));
        let expected = [
            " name",
            "           a          b          c          d          e",
            " a name of some length",
            "   1,000,000  1,000,000  1,000,000  1,000,000  1,000,000",
        ];
        assert_eq!(shown(grid, 60), expected);
    }

    #[test]
    fn a_name_is_cut_later_where_the_others_have_their_room() {
        let held = "a_table_of_some_length AccessExclusiveLock";
        let names = |columns| {
            let mut grid = Grid::new(0, &[Column::Name, Column::Words], ["", ""]);
            grid.row(["UPDATE a SET b = c WHERE ".repeat(8), held.to_owned()]);
            shown(grid.with_names_up_to(40), columns)
        };
        assert_eq!(names(100), [format!("UPDATE a SET b = c WHERE UPDATE a SET b…  {held}")]);
        assert_eq!(names(120).len(), 1);
        assert!(names(120)[0].len() > names(100)[0].len(), "{:?}", names(120));
    }

    #[test]
    fn what_fits_in_no_line_is_a_paragraph() {
        let numbers = [Column::Number; 6];
        let columns: Vec<Column> = [Column::Name].into_iter().chain(numbers).collect();
        let mut grid = Grid::new(1, &columns, ["name", "a", "b", "c", "d", "e", "f"]);
        grid.row(["a name"].into_iter().chain(["1,000,000"; 6]));
        let expected = [
            " a name",
            "   a 1,000,000 · b 1,000,000 · c 1,000,000 · d 1,000,000 · e",
            "   1,000,000 · f 1,000,000",
        ];
        assert_eq!(shown(grid, 60), expected);
    }

    #[test]
    fn a_name_that_is_too_long_is_broken_after_a_mark() {
        assert_eq!(lines_of("some_schema.some_table", 16), ["some_schema.", "some_table"]);
        assert_eq!(lines_of("aaaaaaaaaa", 4), ["aaaa", "aaaa", "aa"]);
    }
}
