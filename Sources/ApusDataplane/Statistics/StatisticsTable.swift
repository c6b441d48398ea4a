/// A group of numbers that one loop keeps for one thing: a cluster, a connection manager, a listener, a filter.
///
/// The fields are plain integers, so counting is an addition to memory that no other thread touches. `visit` names every
/// field once; adding up, resetting and printing all go through it.
///
/// To add a number: a field, and a line in `visit` with Envoy's name behind the group's prefix.
package protocol StatisticsTable: Sendable {
    init()
    mutating func visit(_ visitor: inout some StatisticsVisitor)
}

/// Whoever wants to see the numbers of a table. Each call gives one number and its name.
package protocol StatisticsVisitor {
    /// Only grows.
    mutating func counter(_ name: String, _ value: inout UInt64)
    /// Goes up and down.
    mutating func gauge(_ name: String, _ value: inout Int64)
    mutating func histogram(_ name: String, _ value: inout Histogram)
    /// Answers by status: `<name>_completed`, `<name>_2xx`, and `<name>_200` with `codes`.
    ///
    /// - Parameter isSparse: only what was seen is printed.
    mutating func responses(_ name: String, _ value: inout ResponseCounts, codes: Bool, isSparse: Bool)
}

extension StatisticsTable {
    /// Adds all of another table of the same kind.
    package mutating func add(_ other: Self) {
        var adder = Adder(other)
        visit(&adder)
    }

    /// Sets counters to zero; gauges and histograms stay, as with Envoy.
    package mutating func resetCounters() {
        var reset = CounterReset()
        visit(&reset)
    }

    /// A copy in which only what only grows is left: what remains of a thing that is gone.
    package func withoutGauges() -> Self {
        var copy = self
        var reset = GaugeReset()
        copy.visit(&reset)
        return copy
    }
}

/// The values of one table in the order of its fields, added to another.
private struct Adder: StatisticsVisitor {
    private struct Values: StatisticsVisitor {
        var counters: [UInt64] = []
        var gauges: [Int64] = []
        var histograms: [Histogram] = []
        var responses: [ResponseCounts] = []

        mutating func counter(_ name: String, _ value: inout UInt64) { counters.append(value) }
        mutating func gauge(_ name: String, _ value: inout Int64) { gauges.append(value) }
        mutating func histogram(_ name: String, _ value: inout Histogram) { histograms.append(value) }
        mutating func responses(_ name: String, _ value: inout ResponseCounts, codes: Bool, isSparse: Bool) {
            responses.append(value)
        }
    }

    private var values = Values()
    private var counters = 0
    private var gauges = 0
    private var histograms = 0
    private var responses = 0

    init(_ table: some StatisticsTable) {
        var table = table
        table.visit(&values)
    }

    mutating func counter(_ name: String, _ value: inout UInt64) {
        value &+= values.counters[counters]
        counters += 1
    }

    mutating func gauge(_ name: String, _ value: inout Int64) {
        value &+= values.gauges[gauges]
        gauges += 1
    }

    mutating func histogram(_ name: String, _ value: inout Histogram) {
        value.add(values.histograms[histograms])
        histograms += 1
    }

    mutating func responses(_ name: String, _ value: inout ResponseCounts, codes: Bool, isSparse: Bool) {
        value.add(values.responses[responses])
        responses += 1
    }
}

private struct CounterReset: StatisticsVisitor {
    mutating func counter(_ name: String, _ value: inout UInt64) { value = 0 }
    mutating func gauge(_ name: String, _ value: inout Int64) {}
    mutating func histogram(_ name: String, _ value: inout Histogram) {}
    mutating func responses(_ name: String, _ value: inout ResponseCounts, codes: Bool, isSparse: Bool) {
        value = ResponseCounts()
    }
}

private struct GaugeReset: StatisticsVisitor {
    mutating func counter(_ name: String, _ value: inout UInt64) {}
    mutating func gauge(_ name: String, _ value: inout Int64) { value = 0 }
    mutating func histogram(_ name: String, _ value: inout Histogram) {}
    mutating func responses(_ name: String, _ value: inout ResponseCounts, codes: Bool, isSparse: Bool) {}
}

/// Answers by status.
package struct ResponseCounts: Sendable, Equatable {
    package private(set) var completed: UInt64 = 0
    /// By hundreds: index 1 is 1xx; index 0 what is none of them.
    package private(set) var byClass: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    /// In the order in which they were first seen. An upstream has few, so a search is cheaper than a table; no status
    /// beyond three digits gets in.
    package private(set) var byCode: [(code: UInt16, count: UInt64)] = []

    package init() {}

    package static func == (left: ResponseCounts, right: ResponseCounts) -> Bool {
        left.completed == right.completed && left.byClass == right.byClass
            && left.byCode.map(\.code) == right.byCode.map(\.code)
            && left.byCode.map(\.count) == right.byCode.map(\.count)
    }

    /// Counts the class alone.
    package mutating func countClass(_ status: Int) {
        completed &+= 1
        switch status / 100 {
        case 1: byClass.1 &+= 1
        case 2: byClass.2 &+= 1
        case 3: byClass.3 &+= 1
        case 4: byClass.4 &+= 1
        case 5: byClass.5 &+= 1
        default: byClass.0 &+= 1
        }
    }

    /// Counts the class and the code.
    package mutating func count(_ status: Int) {
        countClass(status)
        guard let code = UInt16(exactly: status), code < 1000 else { return }
        addCode(code, 1)
    }

    private mutating func addCode(_ code: UInt16, _ count: UInt64) {
        for index in byCode.indices where byCode[index].code == code {
            byCode[index].count &+= count
            return
        }
        byCode.append((code, count))
    }

    package mutating func add(_ other: ResponseCounts) {
        completed &+= other.completed
        byClass.0 &+= other.byClass.0
        byClass.1 &+= other.byClass.1
        byClass.2 &+= other.byClass.2
        byClass.3 &+= other.byClass.3
        byClass.4 &+= other.byClass.4
        byClass.5 &+= other.byClass.5
        for (code, count) in other.byCode { addCode(code, count) }
    }
}
