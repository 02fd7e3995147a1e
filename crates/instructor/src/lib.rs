//! The work of an instructor, as `latchstring course …`: from the list of students to the grades.
//!
//! * [`commands`]: the command line;
//! * [`folder`]: a course's folder: its [`terms`], its [`key`], its list of students;
//! * [`hand_out`]: an archive for each student;
//! * [`server`]: the course's own server, with the [`invitations`] to it;
//! * [`submissions`]: what was handed in, as a learning platform exports it; [`grade`]: what it is worth; [`similar`]: what two
//!   students have in common;
//! * [`viva`]: up to three questions for a talk with a student;
//! * [`platform`]: what a platform says about one submission.
//!
//! What a class, its grades and the files of learning platforms *are* stands in the crate `course`, and a lab in `classroom`.

pub mod commands;
pub mod folder;
pub mod grade;
pub mod hand_out;
pub mod invitations;
pub mod key;
pub mod platform;
pub mod server;
pub mod similar;
pub mod submissions;
pub mod terms;
pub mod viva;
