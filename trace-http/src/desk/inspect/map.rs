//! The ten counties of Langfang as tiles, drawn here: about where each lies, none
//! larger than it is counted. The table beneath says the same.

use maud::{Markup, html};

use crate::{desk::frame::area_name, language::Language};

/// Column and row of each county's tile: the two northern parts, which lie apart
/// between the capital's and Tianjin's land, the middle, and the south.
const TILES: [(&str, u32, u32); 10] = [
    ("131082", 2, 0),
    ("131028", 1, 1),
    ("131024", 2, 1),
    ("131003", 1, 2),
    ("131002", 2, 2),
    ("131022", 0, 3),
    ("131023", 1, 3),
    ("131081", 0, 4),
    ("131026", 1, 4),
    ("131025", 1, 5),
];

const TILE_WIDTH: u32 = 150;
const TILE_HEIGHT: u32 = 56;

/// A county's name as short as its tile: without what it is.
fn short_name(language: Language, digits: &str) -> String {
    let name = area_name(language, digits);
    let kinds = [" Hui Autonomous County", " County", " City", " District"];
    let kind = kinds.iter().find_map(|kind| name.strip_suffix(kind));
    kind.map_or_else(|| name.clone(), str::to_owned)
}

/// The counties with how much is open in each.
pub(super) fn drawn(language: Language, counted: &[(String, usize)]) -> Markup {
    let count_of = |digits: &str| {
        let found = counted.iter().find(|(area, _)| area == digits);
        found.map_or(0, |(_, count)| *count)
    };
    let most = TILES
        .iter()
        .map(|(area, ..)| count_of(area))
        .max()
        .unwrap_or(0);
    let title = language.of("What is open, by county", "各县(市、区)待处理事项");
    html! {
        svg.map role="img" aria-labelledby="map-title" viewBox="0 0 470 350" {
            title id="map-title" { (title) }
            @for (digits, column, row) in TILES {
                @let count = count_of(digits);
                @let (x, y) = (10 + column * TILE_WIDTH, 6 + row * TILE_HEIGHT);
                // Shade by fifths of the most, and the number says it too.
                @let shade = (count * 5).checked_div(most).unwrap_or(0);
                rect x=(x) y=(y) width=(TILE_WIDTH - 8) height=(TILE_HEIGHT - 8) rx="6"
                    fill="currentColor" fill-opacity=(format!("0.0{}", 3 + shade)) stroke="currentColor" {}
                text x=(x + 10) y=(y + 20) font-size="15" fill="currentColor" { (short_name(language, digits)) }
                text x=(x + 10) y=(y + 40) font-size="17" font-weight="700" fill="currentColor" { (count) }
            }
        }
        table {
            caption { (title) }
            thead { tr { th scope="col" { (language.of("Area", "地区")) } th scope="col" { (language.of("Open", "待处理")) } } }
            tbody {
                @for (area, count) in counted {
                    tr { th scope="row" { (area_name(language, area)) } td { (count) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::ident::Area;

    #[test]
    fn every_county_has_one_tile_of_its_own() {
        let mut places: Vec<_> = TILES.iter().map(|(_, column, row)| (column, row)).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), TILES.len());
        for county in Area::LANGFANG_COUNTIES {
            assert!(
                TILES
                    .iter()
                    .any(|(digits, ..)| *digits == county.to_string()),
                "{county}"
            );
        }
    }

    #[test]
    fn a_tile_says_its_number_and_a_name_is_in_the_readers_language() {
        let counted = [("131082".to_owned(), 12), ("131022".to_owned(), 3)];
        let page = drawn(Language::English, &counted).into_string();
        assert!(page.contains(">12<") && page.contains(">3<"), "{page}");
        assert_eq!(area_name(Language::Chinese, "131082"), "三河市");
        assert_eq!(area_name(Language::Chinese, "999999"), "999999");
    }
}
