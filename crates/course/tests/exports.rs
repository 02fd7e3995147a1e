//! Each file for a learning platform, against the rules that the platform has published.
//!
//! The rules are written down here as schemas or as small strict readers, each with its source. A mutated file is refused,
//! so a reader that accepts everything would be found.

#[path = "exports/autolab.rs"]
mod autolab;
#[path = "exports/canvas.rs"]
mod canvas;
#[path = "exports/class.rs"]
mod class;
#[path = "exports/classroom50.rs"]
mod classroom50;
#[path = "exports/csv.rs"]
mod csv;
#[path = "exports/ctfd.rs"]
mod ctfd;
#[path = "exports/file.rs"]
mod file;
#[path = "exports/gradescope.rs"]
mod gradescope;
#[path = "exports/junit.rs"]
mod junit;
#[path = "exports/moodle.rs"]
mod moodle;
#[path = "exports/prairielearn.rs"]
mod prairielearn;
#[path = "exports/schema.rs"]
mod schema;
#[path = "exports/xml.rs"]
mod xml;
#[path = "exports/yaml.rs"]
mod yaml;
