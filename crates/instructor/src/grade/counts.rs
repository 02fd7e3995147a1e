//! Which of several files of one student and lab counts, and why.

use latchstring_course::{
    grades::{LabResult, Remark, RemarkKind},
    moment::Moment,
};

use super::Taken;

/// Which of these results counts: they are of the last file and of those of before that are less late. The last one counts, unless
/// one of the others is worth more.
pub(super) fn the_one(taken: &Taken, results: Vec<LabResult>) -> Option<LabResult> {
    let last = results.first()?.points();
    let files: Vec<(LabResult, &Taken)> = results.into_iter().zip(taken.files()).collect();
    // Of two that are worth the same the later one counts.
    let worth = |(result, file): &(LabResult, &Taken)| (result.points(), file.submitted.clone());
    let (mut best, file) = files.into_iter().max_by_key(worth)?;
    best.remarks.extend(taken.notes.iter().cloned());
    if !taken.times.is_empty() {
        let why = match (file.submitted == taken.submitted, taken.earlier.is_empty()) {
            (true, true) => "it is the last one".to_owned(),
            (true, false) => {
                "it is the last one, and no file that was less late is worth more".to_owned()
            }
            (false, _) => format!(
                "it is worth more ({}) than the last one, which came late ({last})",
                best.points()
            ),
        };
        best.remarks.push(Remark {
            kind: RemarkKind::Again,
            sentence: format!(
                "handed in more than once, at {}: the file of {} counts, because {why}",
                in_words(&taken.times),
                file.submitted
            ),
        });
        best.remarks.push(Remark {
            kind: RemarkKind::Paths,
            sentence: format!("the files, from the oldest on: {}", taken.places.join("; ")),
        });
    }
    Some(best)
}

/// `A and B`; of many, the first and the last ones.
fn in_words(times: &[Moment]) -> String {
    match times {
        [first, .., last] if times.len() > 2 => {
            format!("{first}, {last} and {} times between", times.len() - 2)
        }
        times => {
            let times: Vec<&str> = times.iter().map(Moment::as_str).collect();
            times.join(" and ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_so_that_a_line_has_room_for_them() {
        let moment = |day: u32| Moment::try_from(format!("2026-11-2{day}T18:00:00Z")).unwrap();
        let said =
            |days: &[u32]| in_words(&days.iter().map(|day| moment(*day)).collect::<Vec<_>>());
        assert_eq!(
            said(&[1, 2]),
            "2026-11-21T18:00:00Z and 2026-11-22T18:00:00Z"
        );
        assert_eq!(
            said(&[1, 2, 3, 4]),
            "2026-11-21T18:00:00Z, 2026-11-24T18:00:00Z and 2 times between"
        );
    }
}
