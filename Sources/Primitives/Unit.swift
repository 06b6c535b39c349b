/// A unit of measure by its UCUM code, such as `t`, `m`, `ug/m3`, `dB[SPL]`, `%`.
///
/// Two units are the same only when their codes name the same product of the same symbols (`t.m`
/// is `m.t`, but `kg` is not `g`); nothing converts silently.
/// Source: The Unified Code for Units of Measure, https://ucum.org.
package struct Unit: Hashable, Sendable, CustomStringConvertible {
    package let code: String

    package init(_ code: String) { self.code = code }

    package var description: String { code }
}
