/// MT19937, the generator that Envoy shuffles hosts with where every proxy has to come to the same order.
public struct MersenneTwister: Sendable {
    private static let size = 624
    private var state: [UInt32]
    private var index = size

    public init(seed: UInt32) {
        state = [seed]
        state.reserveCapacity(Self.size)
        for position in 1..<Self.size {
            let last = state[position - 1]
            state.append(1_812_433_253 &* (last ^ (last >> 30)) &+ UInt32(position))
        }
    }

    public mutating func next() -> UInt32 {
        if index == Self.size { twist() }
        var value = state[index]
        index += 1
        value ^= value >> 11
        value ^= (value << 7) & 0x9D2C_5680
        value ^= (value << 15) & 0xEFC6_0000
        return value ^ (value >> 18)
    }

    /// Uniform from 0 to one less than the bound.
    ///
    /// - Parameter bound: above zero.
    public mutating func next(below bound: UInt32) -> UInt32 {
        let width = UInt32((UInt64(1) << 32) / UInt64(max(1, bound)) & 0xFFFF_FFFF)
        // A bound of one leaves nothing to choose, but a number is used up all the same.
        guard width > 0 else {
            _ = next()
            return 0
        }
        while true {
            let value = next() / width
            if value < bound { return value }
        }
    }

    private mutating func twist() {
        for position in 0..<Self.size {
            let bits =
                (state[position] & 0x8000_0000) | (state[(position + 1) % Self.size] & 0x7FFF_FFFF)
            state[position] = state[(position + 397) % Self.size] ^ (bits >> 1) ^ (bits & 1 == 0 ? 0 : 0x9908_B0DF)
        }
        index = 0
    }
}
