//! AES-256 under many keys, one block each.
//!
//! The `aes` crate prepares one key at a time, and each step of the key schedule waits for the one before. Four keys in turn
//! keep the AES unit busy. The intrinsics are safe functions where the compiler knows that the processor has them, and
//! `multiversion` sees to that.

use aes::{
    Aes256Enc,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use multiversion::{multiversion, target::match_target};

use super::{Secrets, lanes::LANES};

/// Encrypts `IV ‖ 1` under the key of each candidate.
#[multiversion(targets("x86_64+avx2+aes"))]
pub(super) fn first_blocks(candidates: &[Secrets; LANES], out: &mut [[u8; 16]; LANES]) {
    match_target! {
        "x86_64+avx2+aes" => x86::first_blocks(candidates, out),
        _ => portable(candidates, out),
    }
}

/// With the crate, for any processor.
fn portable(candidates: &[Secrets; LANES], out: &mut [[u8; 16]; LANES]) {
    for (candidate, block) in candidates.iter().zip(out) {
        *block = first_block(candidate);
    }
}

/// One of them.
pub(super) fn first_block(candidate: &Secrets) -> [u8; 16] {
    let (key, iv) = candidate.split_at(32);
    let mut block = [0; 16];
    block[..8].copy_from_slice(iv);
    block[15] = 1;
    // The length is right by the type.
    if let Ok(aes) = Aes256Enc::new_from_slice(key) {
        aes.encrypt_block((&mut block).into());
    }
    block
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{LANES, Secrets};
    use std::arch::x86_64::*;

    /// Keys in turn: enough to hide the latency of one.
    const GROUP: usize = 4;

    #[target_feature(enable = "avx2,aes")]
    pub(super) fn first_blocks(candidates: &[Secrets; LANES], out: &mut [[u8; 16]; LANES]) {
        let groups = candidates.as_chunks::<GROUP>().0;
        for (candidates, out) in groups.iter().zip(out.as_chunks_mut::<GROUP>().0) {
            for (out, block) in out.iter_mut().zip(encrypt(candidates)) {
                let (low, high) = (_mm_cvtsi128_si64(block), _mm_extract_epi64::<1>(block));
                out[..8].copy_from_slice(&low.to_le_bytes());
                out[8..].copy_from_slice(&high.to_le_bytes());
            }
        }
    }

    /// Eight bytes of a candidate as a number, as the vector registers want it.
    #[target_feature(enable = "avx2,aes")]
    fn load(candidate: &Secrets, at: usize) -> i64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&candidate[at..at + 8]);
        i64::from_le_bytes(bytes)
    }

    /// Key schedule and rounds together: each round key is used as soon as it is made (FIPS 197, 5.2, for Nk = 8).
    #[target_feature(enable = "avx2,aes")]
    fn encrypt(candidates: &[Secrets; GROUP]) -> [__m128i; GROUP] {
        // Both halves of the key schedule take SubWord of the last word of the half before, one of them rotated by a byte.
        // The last round without a mixing of columns does just that to four equal words.
        let (rotated, last) = (_mm_set1_epi32(0x0c0f_0e0d), _mm_set1_epi32(0x0f0e_0d0c));
        let zero = _mm_setzero_si128();
        let (mut a, mut b, mut x) = ([zero; GROUP], [zero; GROUP], [zero; GROUP]);
        for g in 0..GROUP {
            let of = &candidates[g];
            a[g] = _mm_set_epi64x(load(of, 8), load(of, 0));
            b[g] = _mm_set_epi64x(load(of, 24), load(of, 16));
            let counter = _mm_set_epi64x(1i64.swap_bytes(), load(of, 32));
            x[g] = _mm_aesenc_si128(_mm_xor_si128(counter, a[g]), b[g]);
        }
        for round in 0..6 {
            let constant = _mm_set1_epi32(1 << round);
            for g in 0..GROUP {
                let word = _mm_aesenclast_si128(_mm_shuffle_epi8(b[g], rotated), constant);
                a[g] = next_half(a[g], word);
                x[g] = _mm_aesenc_si128(x[g], a[g]);
                let word = _mm_aesenclast_si128(_mm_shuffle_epi8(a[g], last), zero);
                b[g] = next_half(b[g], word);
                x[g] = _mm_aesenc_si128(x[g], b[g]);
            }
        }
        let constant = _mm_set1_epi32(1 << 6);
        for g in 0..GROUP {
            let word = _mm_aesenclast_si128(_mm_shuffle_epi8(b[g], rotated), constant);
            x[g] = _mm_aesenclast_si128(x[g], next_half(a[g], word));
        }
        x
    }

    /// Each word is the exclusive or of those up to it in the half before, and of `word`.
    #[target_feature(enable = "avx2,aes")]
    fn next_half(half: __m128i, word: __m128i) -> __m128i {
        let half = _mm_xor_si128(half, _mm_slli_si128::<4>(half));
        let half = _mm_xor_si128(half, _mm_slli_si128::<8>(half));
        _mm_xor_si128(half, word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::Generator;

    #[test]
    fn the_fast_way_agrees_with_the_crate() {
        let mut random = Generator::Mt19937.start(1);
        for _ in 0..20 {
            let mut candidates = [[0; 40]; LANES];
            candidates.iter_mut().for_each(|bytes| random.fill(bytes));
            let (mut fast, mut plain) = ([[0; 16]; LANES], [[0; 16]; LANES]);
            first_blocks(&candidates, &mut fast);
            portable(&candidates, &mut plain);
            assert_eq!(fast, plain);
        }
    }
}
