//! A fingerprint as a picture, for people who compare pictures more easily than 43 letters.
//!
//! This is the picture that OpenSSH draws (`ssh-keygen -lv`). A bishop starts in the middle of the board. Each two bits of
//! the fingerprint move it one field diagonally, and every field counts the visits. Loss, Limmer and von Gernler describe
//! it in "The drunken bishop" (2009). A person who looks for long can make a key with a similar picture, so the text decides
//! where it matters.

use latchstring_protocol::hardened::message::Fingerprint;

const WIDTH: usize = 17;
const HEIGHT: usize = 9;
/// A field by the number of visits; more visits look like the last one.
const VISITS: &[u8; 15] = b" .o+=*BOX@%&#/^";
const START: u8 = b'S';
const END: u8 = b'E';

/// The picture: eleven lines of 19 characters, with the title in the upper edge. A title of more than 15 characters is cut.
pub fn picture(fingerprint: &Fingerprint, title: &str) -> String {
    let board = walk(&fingerprint.0);
    let mut lines = vec![edge(title)];
    lines.extend(board.iter().map(|row| {
        let row: String = row.iter().map(|field| char::from(*field)).collect();
        format!("|{row}|")
    }));
    lines.push(edge("SHA256"));
    lines.join("\n")
}

/// The board after the last step.
fn walk(bytes: &[u8; 32]) -> [[u8; WIDTH]; HEIGHT] {
    let mut visits = [[0_usize; WIDTH]; HEIGHT];
    let (mut x, mut y) = (WIDTH / 2, HEIGHT / 2);
    for step in bytes
        .iter()
        .flat_map(|byte| [0, 2, 4, 6].map(|bit| byte >> bit))
    {
        x = moved(x, step & 1 == 1, WIDTH);
        y = moved(y, step & 2 == 2, HEIGHT);
        visits[y][x] += 1;
    }
    let mut board = visits.map(|row| row.map(|count| VISITS[count.min(VISITS.len() - 1)]));
    board[HEIGHT / 2][WIDTH / 2] = START;
    board[y][x] = END;
    board
}

/// One field on, or one field back. At the edge of the board the bishop slides along it.
fn moved(at: usize, on: bool, size: usize) -> usize {
    match on {
        true => (at + 1).min(size - 1),
        false => at.saturating_sub(1),
    }
}

/// An edge with a text in its middle.
fn edge(text: &str) -> String {
    let text: String = text.chars().take(WIDTH - 2).collect();
    format!("+{:-^WIDTH$}+", format!("[{text}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys and pictures from `ssh-keygen -lv` of OpenSSH 9.2.
    const OPENSSH: [(&str, &str, &str); 4] = [
        (
            "SHA256:bLH0yGpq/t84JdXynMNLKFuBd60rfzz2F484EA9peBM",
            "ED25519 256",
            "+--[ED25519 256]--+\n\
             |                 |\n\
             |          E      |\n\
             |        oo + .   |\n\
             |       +o=% o .  |\n\
             |        S=.& o   |\n\
             |       oo = X  . |\n\
             |      o  * o * .o|\n\
             |    .o  oo. = * o|\n\
             |   oo...o..o.+ oo|\n\
             +----[SHA256]-----+",
        ),
        (
            "SHA256:Zt1RZzOC+DyPLjV2L4wPUMXQ56yGHN9z2Bg4yNdE79I",
            "ED25519 256",
            "+--[ED25519 256]--+\n\
             |          ..=+ooo|\n\
             |         . ..+o=o|\n\
             |         .oo.++ .|\n\
             |         .+*+.o= |\n\
             |        S.o.O.+=E|\n\
             |       o  .B *o+o|\n\
             |          +.* . o|\n\
             |         . o.o . |\n\
             |          . ...  |\n\
             +----[SHA256]-----+",
        ),
        (
            "SHA256:bG5Lu/PvqHyD8g5NLcmdswrUavp/sWn2tT9cZdJXcAU",
            "ED25519 256",
            "+--[ED25519 256]--+\n\
             |              Eo+|\n\
             |               ..|\n\
             |               ..|\n\
             |       + + .  . =|\n\
             |      . S =    oo|\n\
             |     . * ..o    .|\n\
             |      = =..+  o .|\n\
             |     o.*o+O. . + |\n\
             |    ...=@Xo=+ ..o|\n\
             +----[SHA256]-----+",
        ),
        (
            "SHA256:wEDq5pP3MQp2CKFZCBdhnEqHGtWM3Wapyv6g0BDRpdM",
            "RSA 3072",
            "+---[RSA 3072]----+\n\
             |o+B@+. .         |\n\
             |oB==+o=          |\n\
             |*o* E+o          |\n\
             |+* ..  .         |\n\
             |=.o.    S        |\n\
             | *oo             |\n\
             |..X o o          |\n\
             |.o.* o o         |\n\
             |.  .o .          |\n\
             +----[SHA256]-----+",
        ),
    ];

    #[test]
    fn the_pictures_are_those_of_openssh() {
        for (fingerprint, title, drawn) in OPENSSH {
            let fingerprint = fingerprint.parse().unwrap();
            assert_eq!(picture(&fingerprint, title), drawn);
        }
    }

    #[test]
    fn one_other_bit_gives_another_picture() {
        let mut one: Fingerprint = OPENSSH[0].0.parse().unwrap();
        let before = picture(&one, "");
        one.0[31] ^= 0x40;
        assert_ne!(picture(&one, ""), before);
    }

    #[test]
    fn a_bishop_that_goes_one_way_stays_on_the_board() {
        for byte in [0x00, 0xff, 0x55, 0xaa] {
            let drawn = picture(&Fingerprint([byte; 32]), "a title that has no room here");
            assert_eq!(drawn.lines().count(), HEIGHT + 2);
            assert!(drawn.lines().all(|line| line.len() == WIDTH + 2), "{drawn}");
            assert!(drawn.starts_with("+[a title that ha]+"), "{drawn}");
            assert!(drawn.contains('E'), "{drawn}");
        }
    }
}
