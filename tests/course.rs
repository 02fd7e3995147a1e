//! A course, from the list of students to the grades, with the program that an instructor and a student use.

#[path = "course/class.rs"]
mod class;
#[path = "course/guide.rs"]
mod guide;
#[path = "course/hand_outs.rs"]
mod hand_outs;
#[path = "course/hundred.rs"]
mod hundred;
#[path = "course/lists.rs"]
mod lists;
#[path = "course/machine.rs"]
mod machine;
#[path = "course/own_labs.rs"]
mod own_labs;
#[path = "course/regrade.rs"]
mod regrade;
#[path = "course/review.rs"]
mod review;
#[path = "course/troubles.rs"]
mod troubles;
