//! The labs: `latchstring lab list | start | hint | check | explain | reset | serve`.
//!
//! * [`commands`]: the command line;
//! * [`labs`]: where the labs are, inside this program or in a folder;
//! * [`catalogue`]: the definition of a lab, read from `labs/NN-name/lab.toml`;
//! * [`instance`]: a lab's scene come true, by really running and [`record`]ing its sessions;
//! * [`student`]: a student's folder, found by [`place`]; [`state`]: the stored progress;
//! * [`trial`]: runs the student's [`program`] against a live [`target`], and goes by what that target believed;
//! * [`diagnosis`]: why a run did not come out as it should, and what to do;
//! * [`check`]: makes a report of that, of the answers and of the predictions, and [`report`] prints it;
//! * [`answers`], [`toml_error`], [`facts`], [`commitment`], [`seed`], [`progress`]: the parts of these.

pub mod answers;
pub mod catalogue;
pub mod check;
pub mod commands;
pub mod commitment;
pub mod diagnosis;
pub mod facts;
pub mod files;
pub mod instance;
pub mod labs;
pub mod place;
pub mod program;
pub mod progress;
pub mod record;
pub mod report;
pub mod seed;
pub mod state;
pub mod student;
pub mod target;
pub mod toml_error;
pub mod trial;
