//! Every attack against every target, and the ways to look at that.
//!
//! * `cells`: many runs at once, and what is promised for each;
//! * `select`: which of them are wanted, and [`Matrix`] made of them;
//! * `table`: the matrix and its conclusions;
//! * `text`: for a terminal, as tables or as a grid of letters;
//! * `html`: one page with every transcript;
//! * `svg`: one picture.

pub mod cells;
mod html;
mod select;
mod svg;
mod table;
mod text;

pub use self::{
    html::page,
    select::{Selection, attack},
    svg::picture,
    table::{Column, Matrix, Row, anchor},
    text::{grid, tables},
};
