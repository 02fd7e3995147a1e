//! pcapng as others write it: any blocks, several interfaces, several sections, both byte orders; and the old variants of
//! classic pcap.

mod common;

use std::time::Duration;

use common::{EPOCH, session};
use latchstring_capture::{
    AnnotatedSession, CaptureError, Side,
    contents::{Wanted, sessions_of},
    frames::synthesize,
    losses::Losses,
    pcapfile::{self, Packet},
};

/// Writes a file in one byte order.
struct Writer {
    big: bool,
    file: Vec<u8>,
}

impl Writer {
    fn new(big: bool) -> Self {
        Self {
            big,
            file: Vec::new(),
        }
    }

    fn u16(&self, value: u16) -> [u8; 2] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn u32(&self, value: u32) -> [u8; 4] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn u64(&self, value: u64) -> [u8; 8] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let len = body.len().next_multiple_of(4) + 12;
        let (kind, length) = (self.u32(kind), self.u32(len as u32));
        let padding = vec![0; len - 12 - body.len()];
        self.file
            .extend([&kind[..], &length, body, &padding, &length].concat());
    }

    fn section(&mut self) {
        let body = [
            &self.u32(0x1a2b_3c4d)[..],
            &self.u16(1),
            &self.u16(0),
            &[0xff; 8],
        ]
        .concat();
        self.block(0x0a0d_0d0a, &body);
    }

    /// With timestamps in units of 10^-`resolution` seconds.
    fn interface(&mut self, link: u16, snaplen: u32, resolution: u8) {
        let option = [&self.u16(9)[..], &self.u16(1), &[resolution, 0, 0, 0]].concat();
        let body = [
            &self.u16(link)[..],
            &[0; 2],
            &self.u32(snaplen),
            &option,
            &[0; 4],
        ]
        .concat();
        self.block(1, &body);
    }

    fn ticks(&self, packet: &Packet, resolution: u32) -> [u8; 8] {
        let ticks = (packet.at.as_nanos() / 10_u128.pow(9 - resolution)) as u64;
        let halves = [(ticks >> 32) as u32, ticks as u32];
        halves
            .map(|half| self.u32(half))
            .concat()
            .try_into()
            .unwrap()
    }

    fn enhanced(&mut self, interface: u32, packet: &Packet, bytes: &[u8], resolution: u32) {
        let ticks = self.ticks(packet, resolution);
        let lens = [bytes.len() as u32, packet.wire_len]
            .map(|len| self.u32(len))
            .concat();
        let body = [&self.u32(interface)[..], &ticks, &lens, bytes].concat();
        self.block(6, &body);
    }

    fn obsolete(&mut self, interface: u16, packet: &Packet, resolution: u32) {
        let ticks = self.ticks(packet, resolution);
        let lens = [packet.bytes.len() as u32, packet.wire_len]
            .map(|len| self.u32(len))
            .concat();
        let head = [self.u16(interface), self.u16(0)].concat();
        self.block(2, &[&head[..], &ticks, &lens, &packet.bytes].concat());
    }

    fn simple(&mut self, packet: &Packet, snaplen: usize) {
        let kept = packet.bytes.len().min(snaplen);
        let body = [&self.u32(packet.wire_len)[..], &packet.bytes[..kept]].concat();
        self.block(3, &body);
    }
}

fn read(file: &[u8]) -> (Vec<AnnotatedSession>, Losses) {
    let mut sessions = Vec::new();
    let packets = pcapfile::packets("x", file).unwrap();
    let (losses, _) = sessions_of(packets, Wanted::All, |_, session| {
        sessions.push(session);
        Ok::<(), CaptureError>(())
    })
    .unwrap();
    (sessions, losses)
}

fn assert_whole(file: &[u8], how: &str) {
    let (sessions, losses) = read(file);
    assert!(losses.is_empty(), "{how}: {losses}");
    let [found] = &sessions[..] else {
        panic!("{how}: {} sessions", sessions.len());
    };
    for side in [Side::Client, Side::Server] {
        assert_eq!(found.trace.stream(side), session().stream(side), "{how}");
    }
    assert!(found.trace.closed && found.trace.gaps.is_empty(), "{how}");
}

#[test]
fn any_mixture_of_blocks_interfaces_and_sections_is_read() {
    let packets = synthesize(&[session()], EPOCH);
    for big in [false, true] {
        let mut writer = Writer::new(big);
        writer.section();
        // Ethernet in nanoseconds, raw IP in microseconds behind a snapshot length that is not kept to, and both again.
        writer.interface(1, 0, 9);
        writer.interface(101, 64, 6);
        for (packet, number) in packets.iter().zip(0..) {
            match number % 4 {
                0 => writer.enhanced(0, packet, &packet.bytes, 9),
                1 => {
                    let ip = Packet {
                        wire_len: packet.wire_len - 14,
                        ..packet.clone()
                    };
                    writer.enhanced(1, &ip, &packet.bytes[14..], 6);
                }
                2 => writer.obsolete(0, packet, 9),
                _ => writer.simple(packet, usize::MAX),
            }
            // Blocks of others, and a section in the other byte order with no interface of the first.
            writer.block(0x0bad, b"whatever");
            if number == 7 {
                writer.big = !writer.big;
                writer.section();
                writer.interface(1, 0, 9);
                writer.interface(101, 0, 6);
            }
        }
        assert_whole(&writer.file, &format!("big-endian {big}"));
    }
}

#[test]
fn times_are_those_of_the_interface() {
    let packets = synthesize(&[session()], EPOCH);
    let mut writer = Writer::new(true);
    writer.section();
    for resolution in [0, 3, 6, 9] {
        writer.interface(1, 0, resolution);
    }
    let packet = &packets[7];
    for (interface, resolution) in [(0, 0), (1, 3), (2, 6), (3, 9)] {
        writer.enhanced(interface, packet, &packet.bytes, resolution);
    }
    let read = pcapfile::packets("x", &writer.file).unwrap();
    for (read, unit) in read.zip([1_000_000_000, 1_000_000, 1_000, 1]) {
        let away = read.unwrap().at.abs_diff(packet.at);
        assert!(away < Duration::from_nanos(unit), "{away:?}");
    }
}

#[test]
fn simple_packets_are_as_long_as_the_interface_lets_them_be() {
    let packets = synthesize(&[session()], EPOCH);
    for snaplen in [54, 61, 96, 100, 181, 182] {
        let mut writer = Writer::new(false);
        writer.section();
        writer.interface(1, snaplen, 6);
        packets
            .iter()
            .for_each(|packet| writer.simple(packet, snaplen as usize));
        let (sessions, _) = read(&writer.file);
        let trace = &sessions[0].trace;
        let missing: u64 = trace.gaps.iter().filter_map(|gap| gap.bytes).sum();
        assert!(trace.gaps.iter().all(|gap| gap.cut), "{snaplen}");
        let sent = [Side::Client, Side::Server]
            .map(|side| (trace.stream(side).len(), session().stream(side).len()));
        let (found, all) = (sent[0].0 + sent[1].0, sent[0].1 + sent[1].1);
        assert_eq!(found as u64 + missing, all as u64, "{snaplen}");
        assert_eq!(missing > 0, snaplen < 182, "{snaplen}");
    }
}

#[test]
fn what_the_recorder_says_that_it_lost_is_said() {
    let mut writer = Writer::new(true);
    writer.section();
    writer.interface(1, 0, 6);
    for packet in synthesize(&[session()], EPOCH) {
        writer.enhanced(0, &packet, &packet.bytes, 6);
    }
    let count = [&writer.u16(5)[..], &writer.u16(8), &writer.u64(41), &[0; 4]].concat();
    let body = [&writer.u32(0)[..], &[0; 8], &count].concat();
    writer.block(5, &body);
    let (sessions, losses) = read(&writer.file);
    assert_eq!(sessions.len(), 1);
    // What `sessions_of` is told of the packets is in the losses.
    assert_eq!(
        losses.lines(),
        ["the recorder says that it lost 41 packets"]
    );
}

#[test]
fn the_longer_headers_of_one_old_program_are_read() {
    for big in [false, true] {
        let mut writer = Writer::new(big);
        let head = [
            writer.u32(0xa1b2_cd34),
            writer.u32(0x0002_0004),
            [0; 4],
            [0; 4],
            writer.u32(65_535),
            writer.u32(1),
        ];
        writer.file = head.concat();
        for packet in synthesize(&[session()], EPOCH) {
            let len = packet.bytes.len() as u32;
            let seconds = packet.at.as_secs() as u32;
            let fields = [seconds, packet.at.subsec_micros(), len, packet.wire_len]
                .map(|field| writer.u32(field));
            // Number of the interface, protocol, type, and a byte of padding.
            let more = [&writer.u32(3)[..], &writer.u16(8), &[0, 0]].concat();
            writer
                .file
                .extend([&fields.concat(), &more[..], &packet.bytes].concat());
        }
        assert_whole(&writer.file, &format!("big-endian {big}"));
    }
}

#[test]
fn damage_ends_in_an_error_and_what_came_before_it_stays() {
    let packets = synthesize(&[session()], EPOCH);
    let mut writer = Writer::new(false);
    writer.section();
    writer.interface(1, 0, 6);
    for packet in &packets {
        writer.enhanced(0, packet, &packet.bytes, 6);
    }
    let whole = writer.file.len();
    for damage in [
        &[6, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 13][..],
        &[6, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0],
        &[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4],
        &[2, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0],
    ] {
        let file = [&writer.file[..], damage].concat();
        let (sessions, losses) = read(&file);
        assert_eq!(sessions.len(), 1);
        let error = losses.ended.expect("damage is an error").to_string();
        assert!(error.contains(&format!("at offset {whole}")), "{error}");
    }
}
