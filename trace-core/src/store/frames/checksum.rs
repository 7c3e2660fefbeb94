//! CRC-32C (Castagnoli), as of RFC 3720 appendix B.4: against accidents only.

/// The checksum of the parts, one after the other.
pub(super) fn crc32c(parts: &[&[u8]]) -> u32 {
    let bytes = parts.iter().copied().flatten();
    !bytes.fold(!0, |sum, byte| {
        let [low, ..] = sum.to_le_bytes();
        #[expect(clippy::indexing_slicing, reason = "256 entries, one for every byte")]
        let row = TABLE[usize::from(low ^ byte)];
        row ^ (sum >> 8)
    })
}

/// What each byte does to the sum; the polynomial with its bits reversed.
const TABLE: [u32; 256] = {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte;
        let mut bit = 0;
        while bit < 8 {
            let carry = if sum & 1 == 1 { POLYNOMIAL } else { 0 };
            sum = (sum >> 1) ^ carry;
            bit += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "the loop ends at 256")]
        {
            table[byte as usize] = sum;
        }
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::crc32c;

    /// RFC 3720, appendix B.4.
    #[test]
    fn the_checksums_are_the_published_ones() {
        assert_eq!(crc32c(&[&[0; 32]]), 0x8a91_36aa);
        assert_eq!(crc32c(&[&[0xff; 32]]), 0x62a8_ab43);
        let rising: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&[&rising[..5], &rising[5..]]), 0x46dd_794e);
        assert_eq!(crc32c(&[b"123456789"]), 0xe306_9283);
    }
}
