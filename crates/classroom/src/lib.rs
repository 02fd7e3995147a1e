//! The labs: `latchstring lab list | start | serve | predict | hint | check | watch | status | explain | reset | self-test`.
//!
//! * [`commands`]: the command line;
//! * [`labs`]: where the labs are, inside this program or in a folder;
//! * [`catalogue`]: the definition of a lab, read from `labs/NN-name/lab.toml`;
//! * [`instance`]: a lab's scene come true, by really running and [`record`]ing its sessions;
//! * [`student`]: a student's folder, found by [`place`]; [`state`]: what is remembered of it;
//! * [`hand_out`]: what a student of a course has instead of a seed; [`stage`]: a target without the recorded sessions;
//! * `unpacked`: the handout of a lab for a folder that was unpacked, and not begun with `lab start`;
//! * [`trial`]: runs the student's program within limits against a live [`target`], and goes by what that target believed;
//! * [`wire`]: an honest session to the target, on whose way the program changes a message;
//! * [`envelope`]: a text under RSA with the old padding, for the target that is an oracle;
//! * [`visitor`]: an honest client that logs in at the student's program, where that plays a server;
//! * [`diagnosis`]: why a run did not come out as it should, and what to do;
//! * [`needs`]: what a trial needs on the machine that runs it, and what of it is missing;
//! * [`check`]: makes a report of that, of the answers and of the predictions, and [`report`] prints it;
//! * [`program`]: the student's program, copied and built; [`command`]: by which commands; [`language`], [`parts`]: in which language it begins;
//! * [`watch`]: a check after each save; [`predict`]: asks for predictions in the terminal; [`map`]: the course so far;
//! * [`selftest`]: every solution passes, every start and each [`wrong`] solution fails; [`solve`] runs the solution;
//! * [`journal`]: what a student of a course did; [`bundle`]: the file that is handed in; [`replay`]: the grader's
//!   look at it;
//! * [`crew`]: the same work for many, side by side;
//! * [`answers`], [`toml_error`], [`facts`], [`commitment`], [`seed`], [`progress`]: what these are made of.

// What a crate needs that looks at captures of students.
pub use latchstring_attacker::capture;

pub mod answers;
pub mod bundle;
pub mod catalogue;
pub mod check;
pub mod command;
pub mod commands;
pub mod commitment;
pub mod crew;
pub mod diagnosis;
pub mod envelope;
pub mod facts;
pub mod faulty_keys;
pub mod files;
pub mod hand_out;
pub mod instance;
pub mod journal;
pub mod labs;
pub mod language;
pub mod map;
pub mod needs;
pub mod parts;
pub mod place;
pub mod predict;
pub mod program;
pub mod progress;
pub mod record;
pub mod replay;
pub mod report;
mod schedule;
pub mod scratch;
pub mod seed;
pub mod selftest;
pub mod solve;
pub mod stage;
pub mod state;
pub mod stolen_store;
pub mod student;
pub mod target;
pub mod toml_error;
pub mod trial;
mod unpacked;
pub mod visitor;
pub mod watch;
pub mod weak_server;
pub mod wire;
pub mod wrong;
