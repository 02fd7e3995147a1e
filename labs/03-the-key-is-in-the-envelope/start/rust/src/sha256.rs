//! SHA-256 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869), as far as latch/2 needs them. Complete; written to be read.

/// The first 32 bits of the fractions of the roots of the first primes: square roots for the start, cube roots for the
/// rounds.
fn fractions(count: u32, root: impl Fn(u128) -> u128) -> Vec<u32> {
    let prime = |n: &u32| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    let primes = (2..).filter(prime).take(count as usize);
    primes.map(|prime| root(prime.into()) as u32).collect()
}

/// The largest number whose power is at most `n`.
fn root(n: u128, power: u32) -> u128 {
    let mut found = 0u128;
    for bit in (0..40).rev() {
        let larger = found | 1 << bit;
        if larger.checked_pow(power).is_some_and(|product| product <= n) {
            found = larger;
        }
    }
    found
}

/// The hash of some bytes.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut state = fractions(8, |prime| root(prime << 64, 2));
    let rounds = fractions(64, |prime| root(prime << 96, 3));
    let mut padded = data.to_vec();
    padded.push(0x80);
    padded.resize((data.len() + 9).div_ceil(64) * 64 - 8, 0);
    padded.extend((data.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut words: Vec<u32> = block
            .chunks(4)
            .map(|word| u32::from_be_bytes(word.try_into().unwrap()))
            .collect();
        for i in 16..64 {
            let (a, b) = (words[i - 15], words[i - 2]);
            let one = a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3;
            let two = b.rotate_right(17) ^ b.rotate_right(19) ^ b >> 10;
            words.push(
                words[i - 16]
                    .wrapping_add(one)
                    .wrapping_add(words[i - 7])
                    .wrapping_add(two),
            );
        }
        let mut v = state.clone();
        for (word, round) in words.iter().zip(&rounds) {
            let choose = v[4] & v[5] ^ !v[4] & v[6];
            let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2];
            let one = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let two = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let sum = [v[7], one, choose, *round, *word]
                .into_iter()
                .fold(0, u32::wrapping_add);
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(sum);
            v[0] = sum.wrapping_add(two).wrapping_add(majority);
        }
        state = state
            .iter()
            .zip(v)
            .map(|(before, now)| before.wrapping_add(now))
            .collect();
    }
    let bytes: Vec<u8> = state.into_iter().flat_map(u32::to_be_bytes).collect();
    bytes.try_into().unwrap()
}

/// HMAC-SHA-256; it is also HKDF-Extract, with the salt as the key.
pub fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut block = key.to_vec();
    block.resize(64, 0);
    let with = |mask: u8| block.iter().map(move |byte| byte ^ mask);
    let inner: Vec<u8> = with(0x36).chain(data.iter().copied()).collect();
    let outer: Vec<u8> = with(0x5c).chain(sha256(&inner)).collect();
    sha256(&outer)
}

/// HKDF-Expand for at most 32 bytes, with the label and the context that latch/2 gives it.
pub fn derive(secret: &[u8], label: &str, context: &[u8], length: u16) -> Vec<u8> {
    let label = format!("latch/2 {label}");
    let mut info = length.to_be_bytes().to_vec();
    info.push(label.len() as u8);
    info.extend(label.bytes());
    info.push(context.len() as u8);
    info.extend(context);
    info.push(1);
    hmac(secret, &info)[..length.into()].to_vec()
}
