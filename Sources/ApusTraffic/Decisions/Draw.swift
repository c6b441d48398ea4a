/// One number of chance per request, from which independent ones are derived for each question that needs one.
public struct Draw: Sendable {
    public let value: UInt64

    public init(_ value: UInt64) { self.value = value }

    /// A number for question `index`, as good as a fresh one (the finaliser of SplitMix64).
    public func derived(_ index: UInt64) -> UInt64 {
        var result = value &+ (index &+ 1) &* 0x9E37_79B9_7F4A_7C15
        result = (result ^ (result >> 30)) &* 0xBF58_476D_1CE4_E5B9
        result = (result ^ (result >> 27)) &* 0x94D0_49BB_1331_11EB
        return result ^ (result >> 31)
    }

    /// The questions of a request; routes use their index from `route` on.
    public enum Question {
        public static let weightedCluster: UInt64 = 1
        public static let faultDelay: UInt64 = 2
        public static let faultAbort: UInt64 = 3
        public static let cors: UInt64 = 4
        public static let accessLog: UInt64 = 5
        public static let drop: UInt64 = 6
        public static let rateLimitEnabled: UInt64 = 7
        public static let rateLimitEnforced: UInt64 = 8
        public static let mirror: UInt64 = 64
        public static let route: UInt64 = 1024
    }
}
