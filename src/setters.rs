//! Bags of fields that have a method for each, to be chained.

/// Defines methods that set the field of their name.
macro_rules! setters {
    ($bag:ident { $($field:ident: $type:ty),* $(,)? }) => {
        impl $bag {$(
            #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
            #[must_use]
            pub fn $field(mut self, $field: $type) -> Self {
                self.$field = $field;
                self
            }
        )*}
    };
}

pub(crate) use setters;
