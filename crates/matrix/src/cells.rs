//! Many runs at once: the cells of the matrix, and what the table of defences promises for each.

use std::{
    io,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use latchstring_attacker::{Attack, Faithful};

use latchstring_arena::{
    self as arena, Run, against::Against, provider::Setting, verdict::Outcome, wire::Over,
};

/// One attack against one target.
pub type Cell = (&'static Attack, Against);

/// The outcome that the attack's line in the registry promises: it breaks a target without one of its minimal sets, and
/// no other.
pub fn promised(attack: &Attack, against: Against) -> Outcome {
    let breaks = match (against, attack.faithful) {
        (Against::Faithful, Faithful::DoesNotApply(_)) => return Outcome::DoesNotApply,
        (Against::Faithful, faithful) => faithful == Faithful::Broken,
        (Against::Hardened(_), _) => {
            let removed = against.removed();
            let mut sets = attack.returns_without.iter();
            sets.any(|set| set.iter().all(|defence| removed.contains(defence)))
        }
    };
    if breaks {
        Outcome::Broke
    } else {
        Outcome::Held
    }
}

/// Runs these cells, as many at a time as there are `threads`; `progress` hears of each one that is done. The result is
/// in the order of the cells, whichever was finished first.
///
/// # Errors
/// When the machine has no port or no memory for a run.
pub fn run_all(
    cells: &[Cell],
    over: Over,
    setting: impl Into<Setting>,
    threads: usize,
    progress: impl Fn(&Run) + Sync,
) -> io::Result<Vec<Run>> {
    let setting = setting.into();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, io::Result<Run>)>> = Mutex::default();
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::SeqCst);
            let Some((attack, against)) = cells.get(index) else {
                return;
            };
            let run = arena::run(attack, *against, over, setting);
            if let Ok(run) = &run {
                progress(run);
            }
            done.lock().expect("no run panicked").push((index, run));
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().expect("no run panicked");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, run)| run).collect()
}

/// How many runs at a time are best: one a core in memory, where each computes; many over TCP, where each mostly waits.
pub fn threads(over: Over) -> usize {
    match over {
        Over::Memory => thread::available_parallelism().map_or(1, usize::from),
        Over::Tcp => 16,
    }
}
