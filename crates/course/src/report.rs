//! The report of a class: a page for the instructor, and the same numbers as tables.
//!
//! [`page`] is one HTML file. It loads nothing, runs no script, and reads without colour, on a phone, on paper and by ear.
//! [`files`] are four files of comma-separated values. Both are functions of the grades alone, so equal grades give equal
//! bytes.
//!
//! | part | file |
//! | --- | --- |
//! | all numbers that the page and the files show | `numbers.rs`, `spread.rs`, `state.rs` |
//! | the page, and its parts from top to bottom | `page.rs`: `overview.rs`, `students.rs`, `labs.rs`, `remarks.rs`, `open.rs` |
//! | pictures | `pictures.rs`, `scale.rs` |
//! | strangers' text | `text.rs` |
//! | the files | `files.rs` |

mod files;
mod labs;
mod numbers;
mod open;
mod overview;
mod page;
mod pictures;
mod remarks;
mod scale;
mod spread;
mod state;
mod students;
mod text;

pub use files::{File, files};
pub use numbers::{BINS, ItemNumbers, LabNumbers, Numbers};
pub use page::page;
pub use spread::{Spread, decimal};
pub use state::{State, is_late};
