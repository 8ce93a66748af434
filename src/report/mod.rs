//! Renders judgements and progress. It never judges: what is not in a judgement is not shown.

mod differences;
mod document;
mod live;
mod matrix;
mod numbers;
mod result;
mod statements;
mod table;
mod text;
mod trial;

pub use differences::differences;
pub use document::Document;
pub use live::{Live, Mode};
pub use matrix::matrix;
pub use numbers::bytes;
pub use result::{ReadError, ResultFile, Shard, WriteError};
pub use table::verdicts;
pub use trial::trial;
