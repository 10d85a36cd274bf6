//! Chinese characters that sound alike, as input methods mix them up.

use std::sync::LazyLock;

/// Each character with its readings, by place of the reading; sorted.
static READINGS: LazyLock<Vec<(char, usize)>> = LazyLock::new(|| {
    let text = include_str!("../../defaults/homophones.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<(String, &str)> = lines
        .filter_map(|line| line.split_once(' '))
        .map(|(reading, characters)| (plain(reading), characters))
        .collect();
    let mut names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut readings: Vec<(char, usize)> = rows
        .iter()
        .flat_map(|(name, characters)| {
            let place = names.binary_search(&name.as_str()).unwrap_or_default();
            characters.chars().map(move |c| (c, place))
        })
        .collect();
    readings.sort_unstable();
    readings.dedup();
    readings
});

/// Many speakers make no difference between `zh` and `z`, `ing` and `in`.
fn plain(reading: &str) -> String {
    let start = reading.replacen("zh", "z", 1).replacen("ch", "c", 1);
    let start = start.replacen("sh", "s", 1);
    match start.strip_suffix("ng") {
        Some(stem) => format!("{stem}n"),
        None => start,
    }
}

/// Whether one reading is common to both, whatever the tone.
pub(super) fn sound_alike(one: char, other: char) -> bool {
    let of = |c: char| {
        let from = READINGS.partition_point(|(known, _)| *known < c);
        let own = READINGS.get(from..).unwrap_or_default().iter();
        own.take_while(move |(known, _)| *known == c)
            .map(|(_, reading)| *reading)
    };
    of(one).any(|reading| of(other).any(|same| same == reading))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_sound_alike_whatever_the_tone() {
        for (one, other, expected) in [
            ('几', '机', true),
            ('摩', '磨', true),
            ('山', '三', true),
            ('馆', '机', false),
            ('a', 'a', false),
        ] {
            assert_eq!(sound_alike(one, other), expected, "{one} {other}");
        }
    }
}
