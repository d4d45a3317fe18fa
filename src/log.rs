//! Logging, by the facade of the same name.
//!
//! The logger is the program's. It may use this crate in turn, so nothing is logged with a
//! lock held, which debug builds assert.

/// Defines the macros of these levels; `$` itself has to be handed in.
macro_rules! levels {
    ($dollar:tt $($level:ident as $name:ident),*) => {$(
        #[allow(unused_macros, reason = "not every feature has something to say on each level")]
        macro_rules! $name {
            ($dollar($dollar words:tt)*) => {{
                $crate::sync::assert_unlocked("something is logged");
                ::log::$level!($dollar($dollar words)*);
            }};
        }
        #[allow(unused_imports, reason = "the same")]
        pub(crate) use $name as $level;
    )*};
}

// An attribute of the language has the name of one.
levels!($
    error as log_error, warn as log_warn, info as log_info, debug as log_debug,
    trace as log_trace
);
