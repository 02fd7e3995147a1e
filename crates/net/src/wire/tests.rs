use tokio::io::{DuplexStream, duplex};

use latchstring_protocol::hardened::record::{BUCKETS, TAG_LEN};

use super::*;

/// A record of the right shape (the tag is not looked at here).
fn record(bucket: usize) -> Vec<u8> {
    let len = u32::try_from(bucket + TAG_LEN).expect("buckets are small");
    let body = (0..bucket + TAG_LEN).map(|i| i as u8);
    len.to_be_bytes().into_iter().chain(body).collect()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Sends the bytes one at a time with a pause before each.
async fn drip(stream: &mut DuplexStream, bytes: &[u8], pause: Duration) {
    for byte in bytes {
        tokio::time::sleep(pause).await;
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_bucket_arrives_whole_however_the_stream_cuts_it() {
    for pipe in [1, 7, 1000, 1 << 16] {
        let (mut near, mut far) = duplex(pipe);
        let writer = tokio::spawn(async move {
            for bucket in BUCKETS {
                write_all_within(&mut far, &record(bucket), seconds(5))
                    .await
                    .expect("written");
            }
        });
        let mut reader = RecordReader::default();
        for bucket in BUCKETS {
            let got = reader.read(&mut near, &BUCKETS, None).await.expect("read");
            assert_eq!(got, Some(record(bucket)));
        }
        let end = reader.read(&mut near, &BUCKETS, None).await.expect("end");
        assert_eq!(end, None);
        writer.await.expect("writer");
    }
}

#[tokio::test(start_paused = true)]
async fn a_length_that_does_not_exist_is_refused_before_the_body() {
    for len in [0, 1, 64, 95, 97, 16415, 16417, 65536, u32::MAX] {
        let (mut near, mut far) = duplex(64);
        far.write_all(&len.to_be_bytes()).await.expect("written");
        // The stream stays open and no body follows: the answer must not wait for one.
        let mut reader = RecordReader::default();
        let error = reader.read(&mut near, &BUCKETS, None).await;
        assert!(matches!(error, Err(WireError::BadLength(got)) if got == len));
    }
}

#[tokio::test(start_paused = true)]
async fn a_length_that_exists_but_belongs_to_another_state_is_refused() {
    let (mut near, mut far) = duplex(1 << 16);
    far.write_all(&record(4096)).await.expect("written");
    let error = read_record(&mut near, &[1024], None).await;
    assert!(matches!(error, Err(WireError::BadLength(4128))));
}

#[tokio::test(start_paused = true)]
async fn the_end_within_a_record_is_not_the_end_between_two() {
    for cut in [1, 3, 4, 5, 99] {
        let (mut near, mut far) = duplex(1 << 10);
        far.write_all(&record(64)[..cut]).await.expect("written");
        drop(far);
        let error = read_record(&mut near, &BUCKETS, None).await;
        assert!(
            matches!(error, Err(WireError::Truncated { have, .. }) if have == cut),
            "{cut}: {error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_drips_is_cut_off_five_seconds_after_its_first_byte() {
    let (mut near, mut far) = duplex(1 << 10);
    tokio::spawn(async move { drip(&mut far, &record(64), seconds(1)).await });
    let start = Instant::now();
    let error = read_record(&mut near, &BUCKETS, None).await;
    assert!(matches!(error, Err(WireError::Deadline { have, .. }) if (4..=6).contains(&have)));
    // The first byte comes after one second, which is not counted.
    assert_eq!(start.elapsed(), seconds(6));
}

#[tokio::test(start_paused = true)]
async fn silence_may_last_unless_the_caller_says_until_when() {
    let (mut near, mut far) = duplex(1 << 10);
    let by = Some(Instant::now() + seconds(10));
    let error = read_record(&mut near, &BUCKETS, by).await;
    assert!(matches!(error, Err(WireError::Deadline { have: 0, .. })));

    tokio::spawn(async move {
        tokio::time::sleep(seconds(3600)).await;
        far.write_all(&record(64)).await.expect("written");
        tokio::time::sleep(seconds(3600)).await;
    });
    let got = read_record(&mut near, &BUCKETS, None).await.expect("read");
    assert_eq!(got, Some(record(64)));
}

#[tokio::test(start_paused = true)]
async fn the_callers_deadline_holds_for_the_whole_record() {
    let (mut near, mut far) = duplex(1 << 10);
    tokio::spawn(async move { drip(&mut far, &record(64), seconds(1)).await });
    let start = Instant::now();
    let error = read_record(&mut near, &BUCKETS, Some(start + seconds(3))).await;
    assert!(matches!(error, Err(WireError::Deadline { .. })));
    assert_eq!(start.elapsed(), seconds(3));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_loses_a_select_loses_no_byte() {
    let (mut near, mut far) = duplex(16);
    tokio::spawn(async move {
        for bucket in [64, 256, 64] {
            drip(&mut far, &record(bucket), Duration::from_millis(10)).await;
        }
        tokio::time::sleep(seconds(60)).await;
    });
    let mut reader = RecordReader::default();
    let mut ticks = tokio::time::interval(Duration::from_millis(7));
    let (mut got, mut lost) = (Vec::new(), 0);
    while got.len() < 3 {
        tokio::select! {
            // The timer is asked first, so that reads are dropped at every possible place.
            biased;
            _ = ticks.tick() => lost += 1,
            read = reader.read(&mut near, &BUCKETS, None) => {
                got.push(read.expect("read").expect("a record"));
            }
        }
    }
    assert_eq!(got, [record(64), record(256), record(64)]);
    assert!(lost > 300, "only {lost} reads were dropped");
}

#[tokio::test(start_paused = true)]
async fn a_select_does_not_give_a_slow_record_more_time() {
    let (mut near, mut far) = duplex(1 << 10);
    tokio::spawn(async move { drip(&mut far, &record(64), seconds(1)).await });
    let mut reader = RecordReader::default();
    let start = Instant::now();
    let error = loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(300)) => {}
            read = reader.read(&mut near, &BUCKETS, None) => break read,
        }
    };
    assert!(matches!(error, Err(WireError::Deadline { .. })));
    assert_eq!(start.elapsed(), seconds(6));
}

#[tokio::test(start_paused = true)]
async fn hellos_are_read_exactly() {
    let (mut near, mut far) = duplex(1 << 10);
    far.write_all(b"hello, and more").await.expect("written");
    let got = read_exact_within(&mut near, 5, seconds(10)).await;
    assert_eq!(got.expect("read"), b"hello");
    let late = read_exact_within(&mut near, 100, seconds(2)).await;
    assert!(matches!(
        late,
        Err(WireError::Deadline {
            have: 10,
            need: 100
        })
    ));
    drop(far);
    let closed = read_exact_within(&mut near, 5, seconds(10)).await;
    assert!(matches!(closed, Err(WireError::Closed)));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_cannot_hold_a_writer() {
    let (mut near, _far) = duplex(16);
    let start = Instant::now();
    let error = write_all_within(&mut near, &record(256), seconds(5)).await;
    assert!(matches!(error, Err(WireError::Deadline { need: 292, .. })));
    assert_eq!(start.elapsed(), seconds(5));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_gone_is_an_error_of_the_connection() {
    let (mut near, far) = duplex(16);
    drop(far);
    let error = write_all_within(&mut near, &record(64), seconds(5)).await;
    assert!(matches!(error, Err(WireError::Io(_))));
}
