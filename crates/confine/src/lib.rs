//! Runs a stranger's program within limits, without root: for the grader of the labs.
//!
//! Three processes share the work:
//!
//! ```text
//! grader (run) ──> keeper ──> inner ──> the program and all that it starts
//! ```
//!
//! * [`run`](mod@run): the grader's side; starts the keeper, keeps the output, stops everything when the time is up;
//! * [`keeper`]: sets resource limits, makes namespaces, measures memory, processes and files, and stops the rest;
//! * [`inner`]: is the first process of the new process namespace; starts the program with access rules, and waits;
//! * [`job`]: what to run and within which limits; [`note`]: what the other two tell the grader;
//! * [`cgroup`]: a number of processes that the kernel keeps for root, too;
//! * [`roots`]: where interpreters and libraries are; [`processes`]: which processes there are;
//! * [`scratch`]: the copy of a folder in which the program runs.
//!
//! The keeper and the inner process are this same program, run again: no `unsafe` is needed between `fork` and `exec`.
//! Where the kernel lacks a limit, the program runs without it, and [`note::InForce`] says so.

pub mod cgroup;
pub mod inner;
pub mod job;
pub mod keeper;
pub mod note;
pub mod processes;
pub mod roots;
pub mod run;
pub mod scratch;
