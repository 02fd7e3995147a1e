//! A class of the labs: its students, and what a learning platform says about them.
//!
//! * [`roster`]: the students of a class, read from the export of a learning platform or from a spreadsheet;
//! * [`grades`]: what the grader found; [`points`] and [`moment`] are exact, and have one form in every file;
//! * [`export`]: the files that learning platforms read;
//! * [`report`]: the grades of a class as a page with pictures, and as tables;
//! * [`table`]: files of comma-separated values, read strictly and written so that no spreadsheet runs a cell.
//!
//! This crate reads no clock, starts no program and asks no network: bytes come in, values and bytes go out.

pub mod export;
pub mod grades;
pub mod moment;
pub mod points;
pub mod report;
pub mod roster;
pub mod table;
