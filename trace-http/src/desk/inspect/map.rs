//! The ten counties as a schematic map, and days as bars: pictures of numbers that
//! stand in tables beneath. Tiles stand about where the counties lie and say nothing
//! of their size or borders; shade repeats a number that is written on the tile.

use maud::{Markup, html};
use trace_core::ident::{Area, CivilDate};

use crate::language::Language;

/// Where each county's tile stands, column and row, with a short name.
const TILES: [(u32, usize, usize, &str, &str); 10] = [
    (131_028, 1, 0, "Dachang", "大厂"),
    (131_082, 2, 0, "Sanhe", "三河"),
    (131_024, 2, 1, "Xianghe", "香河"),
    (131_003, 1, 2, "Guangyang", "广阳"),
    (131_002, 2, 2, "Anci", "安次"),
    (131_022, 0, 3, "Gu'an", "固安"),
    (131_023, 1, 3, "Yongqing", "永清"),
    (131_081, 0, 4, "Bazhou", "霸州"),
    (131_026, 1, 4, "Wen'an", "文安"),
    (131_025, 1, 5, "Dacheng", "大城"),
];

/// Width and height of a tile, and the room of the map.
const TILE: (usize, usize) = (116, 76);
const MAP: (usize, usize) = (360, 474);

/// Room of the bars.
const BARS: (u64, u64) = (360, 120);

/// What a county's tile says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tile {
    /// Certificates issued.
    pub issued: u64,
    /// What wants looking at.
    pub open: u64,
}

/// The map; of a county that `tile` has nothing to say of, only where it is.
pub(super) fn counties(language: Language, tile: impl Fn(Area) -> Option<Tile>) -> Markup {
    let told = |code| Area::try_from(code).ok().and_then(&tile);
    let all = TILES.iter().filter_map(|(code, ..)| told(*code));
    let most = all.map(|tile| tile.open).max().unwrap_or(0).max(1);
    let title = language.of("Map of the ten counties", "十县市区示意图");
    html! {
        svg.map role="img" aria-labelledby="map-title map-what"
            viewBox=(format!("0 0 {} {}", MAP.0, MAP.1)) {
            title id="map-title" { (title) }
            desc id="map-what" { (language.of(
                "Schematic. Each tile: certificates issued, and how much wants looking at. The table beneath says the same.",
                "示意图,不代表实际边界。每格为开证数与待处理数,下表内容相同。",
            )) }
            @for (code, column, row, english, chinese) in &TILES {
                @let (x, y) = (2 + column * (TILE.0 + 4), 2 + row * (TILE.1 + 3));
                @let told = told(*code);
                @let shade = told.map_or(0, |tile| tile.open * 25 / most);
                rect x=(x) y=(y) width=(TILE.0) height=(TILE.1) rx="6" fill="currentColor"
                    fill-opacity=(format!("0.{shade:02}")) stroke="currentColor"
                    stroke-dasharray=[told.is_none().then_some("4 4")] {}
                text x=(x + 8) y=(y + 22) { (language.of(*english, *chinese)) }
                @match told {
                    Some(tile) => {
                        text x=(x + 8) y=(y + 43) { (language.of("issued ", "开证 ")) (tile.issued) }
                        text x=(x + 8) y=(y + 64) { (language.of("open ", "待处理 ")) (tile.open) }
                    }
                    None => text x=(x + 8) y=(y + 43) { "–" },
                }
            }
        }
    }
}

/// Days as bars, with the first, the last and the most in words.
pub(super) fn bars(language: Language, days: &[(CivilDate, u64)]) -> Markup {
    let most = days.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let step = BARS.0 / u64::try_from(days.len().max(1)).unwrap_or(1);
    let title = language.of("Certificates issued per day", "每日开证数");
    let ends = (days.first(), days.last());
    let (first, last) = match ends {
        (Some((first, _)), Some((last, _))) => (first.to_string(), last.to_string()),
        _ => return html! {},
    };
    html! {
        svg.map role="img" aria-labelledby="bars-title bars-what"
            viewBox=(format!("0 0 {} {}", BARS.0, BARS.1 + 44)) {
            title id="bars-title" { (title) }
            desc id="bars-what" { (match language {
                Language::Chinese => format!("{first} 至 {last},最多一日 {most} 张。下表内容相同。"),
                Language::English => format!("{first} to {last}, at most {most} a day. The table says the same."),
            }) }
            @for (place, (_, count)) in (0_u64..).zip(days) {
                @let height = count * BARS.1 / most.max(1);
                rect x=(place * step + 2) y=(20 + BARS.1 - height) width=(step.saturating_sub(4)) height=(height)
                    fill="currentColor" fill-opacity="0.6" {}
            }
            line x1="0" x2=(BARS.0) y1=(20 + BARS.1) y2=(20 + BARS.1) stroke="currentColor" {}
            text x="0" y="14" { (language.of("most: ", "最多:")) (most) }
            text x="0" y=(BARS.1 + 38) { (first) }
            text x=(BARS.0) y=(BARS.1 + 38) text-anchor="end" { (last) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_county_has_one_tile_within_the_map_and_none_covers_another() {
        let codes: BTreeSet<u32> = TILES.iter().map(|(code, ..)| *code).collect();
        let wanted: BTreeSet<u32> = Area::LANGFANG_COUNTIES.iter().map(|it| it.code()).collect();
        assert_eq!(codes, wanted);
        let places: BTreeSet<_> = TILES.iter().map(|(_, x, y, ..)| (x, y)).collect();
        assert_eq!(places.len(), TILES.len());
        for (_, x, y, ..) in TILES {
            assert!((x + 1) * (TILE.0 + 4) <= MAP.0 + 4, "{x}");
            assert!((y + 1) * (TILE.1 + 3) <= MAP.1 + 4, "{y}");
        }
    }

    #[test]
    fn a_county_that_is_not_overseen_has_no_number() {
        let own = Area::LANGFANG_COUNTIES[0];
        let tile = Tile {
            issued: 12,
            open: 3,
        };
        let drawn = counties(Language::English, |area| (area == own).then_some(tile)).into_string();
        assert_eq!(drawn.matches("issued 12").count(), 1, "{drawn}");
        assert_eq!(drawn.matches("issued ").count(), 1, "{drawn}");
        assert_eq!(drawn.matches("stroke-dasharray").count(), 9, "{drawn}");
    }
}
