//! Telephone numbers and addresses.

use crate::field::{AddressLevel, Field, PhoneLevel};
use crate::person::Person;
use crate::score::Evidence;
use crate::value::Place;

use super::{Comparer, best};

impl Comparer<'_> {
    pub(super) fn compare_places(&self, a: &Person, b: &Person, evidence: &mut Evidence) {
        self.compare_phones(a, b, evidence);
        let levels = a
            .places()
            .flat_map(|one| b.places().map(move |other| address_level(one, other)));
        let level = best(levels, AddressLevel::Missing);
        evidence.pattern.set(Field::Address, level as u8);
        if level == AddressLevel::Dwelling {
            let shared = a.places().filter(|one| {
                b.places()
                    .any(|other| address_level(one, other) == AddressLevel::Dwelling)
            });
            let counts =
                shared.map(|place| self.population.frequencies.dwellings.count(place.dwelling));
            let count = counts.min().unwrap_or(0);
            evidence.frequency[5] = self.holder_frequency(count, self.model.base(5));
        }
    }

    fn compare_phones(&self, a: &Person, b: &Person, evidence: &mut Evidence) {
        let shared = a
            .phones()
            .filter(|one| b.phones().any(|other| other == *one));
        let counts = shared.map(|phone| self.population.frequencies.phones.count(phone));
        // Of several shared numbers the one with the fewest holders tells most.
        let count = counts.min();
        let level = match count {
            Some(_) => PhoneLevel::Same,
            None if a.phone == 0 || b.phone == 0 => PhoneLevel::Missing,
            None => PhoneLevel::Different,
        };
        evidence.pattern.set(Field::Phone, level as u8);
        evidence.frequency[4] = count.map_or(0.0, |count| {
            self.holder_frequency(count, self.model.base(4))
        });
    }
}

fn address_level(a: &Place, b: &Place) -> AddressLevel {
    if a.dwelling != 0 && a.dwelling == b.dwelling {
        AddressLevel::Dwelling
    } else if (a.building != 0 && a.building == b.building) || (a.door != 0 && a.door == b.door) {
        AddressLevel::Building
    } else if a.is_same_street(b) {
        AddressLevel::Street
    } else if a.zip != 0 && a.zip == b.zip {
        AddressLevel::Zip
    } else if (a.building != 0 && b.building != 0) || (a.zip != 0 && b.zip != 0) {
        AddressLevel::Different
    } else {
        AddressLevel::Missing
    }
}
