//! Pictures without a size of their own. All places are shares of the width, so a picture is as wide as its place and its
//! letters stay as large as they are.

use maud::{Markup, html};

use super::{
    numbers::BINS,
    scale::{Scale, Share},
    spread::Spread,
    state::State,
};

/// A picture with its title and its description, for those who do not see it. `id` is in the page once.
fn picture(id: &str, class: &str, title: &str, description: &str, content: Markup) -> Markup {
    html! {
        svg class={ "picture " (class) } role="img" aria-labelledby={ (id) "-t" } aria-describedby={ (id) "-d" } {
            title id={ (id) "-t" } { (title) }
            desc id={ (id) "-d" } { (description) }
            (content)
        }
    }
}

/// A bar beside its number, which says the same. So it has no title of its own.
pub(super) fn small_bar(share: Share, class: &str) -> Markup {
    html! {
        svg class={ "bar " (class) } aria-hidden="true" {
            rect.track width="100%" height="100%" {}
            rect.fill width=(share.attribute()) height="100%" {}
        }
    }
}

/// A bar that shows a part of a whole.
pub(super) fn bar(id: &str, title: &str, description: &str, share: Share) -> Markup {
    let content = html! {
        rect.track width="100%" height="100%" {}
        rect.fill width=(share.attribute()) height="100%" {}
    };
    picture(id, "share", title, description, content)
}

/// How many students are in each state: steps that are as wide as their number, and lower from state to state.
pub(super) fn steps(id: &str, title: &str, description: &str, counts: [usize; 4]) -> Markup {
    let all: usize = counts.iter().sum();
    let mut from = 0;
    let mut parts = Vec::new();
    for (state, count) in State::ALL.into_iter().zip(counts) {
        let (left, right) = (
            Share::of_counts(from, all),
            Share::of_counts(from + count, all),
        );
        parts.push((state, left, Share(right.0 - left.0), count));
        from += count;
    }
    let content = html! {
        @for (state, left, width, count) in parts {
            @if count > 0 {
                @let top = 6 * state as usize;
                rect class=(state.class()) x=(left.attribute()) y=(top) width=(width.attribute()) height=(24 - top) {}
            }
        }
    };
    picture(id, "steps", title, description, content)
}

/// Half of the values as a box, eight tenths as a line, and the median as a mark.
pub(super) fn spread(
    id: &str,
    title: &str,
    description: &str,
    scale: &Scale,
    one: Spread,
) -> Markup {
    let at = |hundredths| scale.place(hundredths);
    let (left, right) = (at(one.quarter), at(one.three_quarters));
    let content = html! {
        @for (_, place) in scale.ticks() {
            @let x = place.attribute();
            line.grid x1=(x) x2=(x) y1="0" y2="100%" {}
        }
        line.whisker x1=(at(one.tenth).attribute()) x2=(at(one.nine_tenths).attribute()) y1="13" y2="13" {}
        rect.box x=(left.attribute()) width=(Share(right.0 - left.0).attribute()) y="5" height="16" {}
        line.median x1=(at(one.median).attribute()) x2=(at(one.median).attribute()) y1="2" y2="24" {}
    };
    picture(id, "spread", title, description, content)
}

/// The numbers at the axis of [`spread`]. The table below the pictures has them, too.
pub(super) fn axis(scale: &Scale) -> Markup {
    let ticks: Vec<(u64, Share)> = scale.ticks().collect();
    let last = ticks.len() - 1;
    // So that no two numbers touch each other on a phone.
    let every = ticks.len().div_ceil(9);
    html! {
        svg class="picture axis" aria-hidden="true" {
            @for (n, (tick, place)) in ticks.into_iter().enumerate() {
                @if (last - n).is_multiple_of(every) {
                    @let anchor = if n == 0 { "start" } else if n == last { "end" } else { "middle" };
                    text x=(place.attribute()) y="12" text-anchor=(anchor) { (tick) }
                }
            }
        }
    }
}

/// Where the columns of the totals begin and end, in hundredths of a percent of the width. The first column, of those without
/// a file, stands apart.
const FIRST: (u64, u64) = (0, 1100);
const LEFT: u64 = 1500;
const RIGHT: u64 = 9600;
/// The height of the highest column, and the line that all stand on.
const TALL: usize = 130;
const GROUND: usize = 155;

/// How many students have so many points.
pub(super) fn totals(description: &str, without: usize, bins: &[usize; BINS]) -> Markup {
    let most = bins.iter().copied().chain([without]).max().unwrap_or(0);
    let edge = |n: usize| Share(LEFT + (RIGHT - LEFT) * n as u64 / BINS as u64);
    let content = html! {
        (column(FIRST.0, FIRST.1, without, most, "absent"))
        text x=(Share(FIRST.1 / 2).attribute()) y=(GROUND + 17) text-anchor="middle" { "no file" }
        @for (n, count) in bins.iter().enumerate() {
            (column(edge(n).0, edge(n + 1).0, *count, most, "fill"))
        }
        @for n in 0..=BINS {
            text x=(edge(n).attribute()) y=(GROUND + 17) text-anchor="middle" { (n * 100 / BINS) }
        }
        text x=(Share((LEFT + RIGHT) / 2).attribute()) y=(GROUND + 36) text-anchor="middle" { "percent of all points" }
        line.ground x1="0" x2="100%" y1=(GROUND) y2=(GROUND) {}
    };
    picture(
        "totals",
        "totals",
        "Totals of the students",
        description,
        content,
    )
}

/// One column with its number on top.
fn column(left: u64, right: u64, count: usize, most: usize, class: &str) -> Markup {
    let height = (count * TALL).checked_div(most).unwrap_or(0);
    let gap = (right - left) / 14;
    let (left, right) = (left + gap, right - gap);
    html! {
        @if count > 0 {
            rect class=(class) x=(Share(left).attribute()) y=(GROUND - height)
                width=(Share(right - left).attribute()) height=(height) {}
            text x=(Share(left.midpoint(right)).attribute()) y=(GROUND - height - 5) text-anchor="middle" { (count) }
        }
    }
}
