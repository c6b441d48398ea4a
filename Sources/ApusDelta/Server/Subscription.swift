internal import ApusCore

/// What one stream knows of one resource type: what the client asked for, and what it holds.
///
/// What the client holds is the last set sent, restricted to what it subscribed to, save a few exceptions by name.
/// That keeps a stream small: the set is shared by all streams in step, and a wildcard needs no table of names.
struct Subscription {
    /// What the client holds under a name, where the last sent set does not say it.
    enum Holding: Equatable {
        case absent
        case version(ContentVersion)
        /// Something that has no version of ours.
        case foreign
        /// It refused this version by name; another version may be sent at any time, this one never.
        case refused(ContentVersion)
        /// It refused a response in which this version was; nil: in which the name was removed.
        case doubted(ContentVersion?)
    }

    /// A removal that waits until listeners and routes have stopped using the resource.
    struct HeldRemoval {
        let until: Instant
        /// What the client goes on holding, if it came from us in this stream.
        let resource: EncodedResource?
    }

    struct Outstanding {
        let nonce: UInt64
        let version: ContentVersion
        let changed: [EncodedResource]
        let removed: [String]
        let sentAt: Instant
    }

    /// What must go out now.
    struct Delivery {
        var changed: [EncodedResource] = []
        var removed: [String] = []
        /// The client asked for something and waits for the answer, whatever is in it.
        var isAnswer = false

        var isEmpty: Bool { changed.isEmpty && removed.isEmpty }
    }

    /// How removals are treated in one pass.
    enum Removals {
        case now
        /// Not before this instant, unless they wait already and their own instant has passed.
        case heldUntil(Instant)
    }

    let type: ResourceType
    private(set) var isOpen = false
    /// The client came with resources from an earlier stream.
    private(set) var isResumed = false
    private(set) var isWildcard = false
    private(set) var names: Set<String> = []
    private(set) var base: ResourceSet?
    private var exceptions: [String: Holding] = [:]
    private var due: Set<String> = []
    private(set) var held: [String: HeldRemoval] = [:]
    private(set) var outstanding: Outstanding?
    /// The next pass answers even if there is nothing to say: an empty answer ends a phase of a client's start.
    private var owesAnswer = false
    private var culpritsAreKnown = false
    var ledger = StatusLedger()

    init(type: ResourceType) { self.type = type }

    /// Everything asked for was answered, and every answer was acknowledged or refused.
    var hasSettled: Bool { outstanding == nil && !owesAnswer && due.isEmpty }

    func covers(_ name: String) -> Bool { isWildcard || names.contains(name) }

    // MARK: What the client asks for

    /// The first request of a type. `held`: name to version text of what the client still has, delta only.
    mutating func open(wildcard: Bool, names newNames: Set<String>, held versions: [String: String] = [:]) {
        isOpen = true
        isResumed = !versions.isEmpty
        base = nil
        exceptions = [:]
        held = [:]
        isWildcard = wildcard
        names = newNames
        for (name, text) in versions where covers(name) {
            exceptions[name] = ContentVersion(text: text).map(Holding.version) ?? .foreign
        }
        due = due.filter { covers($0) }
        for name in names where versions[name] == nil { due.insert(name) }
        owesAnswer = versions.isEmpty && (wildcard || !names.isEmpty)
    }

    /// A further request of the state-of-the-world variant, which names everything it wants.
    mutating func replace(wildcard: Bool, names newNames: Set<String>) {
        // The usual acknowledgement says again what was asked for.
        if wildcard == isWildcard, newNames == names { return }
        let gained = newNames.subtracting(names)
        names.formIntersection(newNames)
        var wantsMore = false
        if wildcard, !isWildcard {
            subscribeToAll()
            wantsMore = true
        } else if !wildcard, isWildcard {
            isWildcard = false
        }
        forgetUncovered()
        for name in gained {
            names.insert(name)
            due.insert(name)
            wantsMore = true
        }
        if wantsMore { owesAnswer = true }
    }

    /// Delta: a name is answered even if the client may have it.
    mutating func subscribe(_ name: String) {
        names.insert(name)
        due.insert(name)
    }

    mutating func subscribeToAll() {
        guard !isWildcard else { return }
        // What the client kept of the names it had subscribed to one by one; everything else it never had or dropped.
        if let base {
            for name in names where exceptions[name] == nil {
                if let resource = base.byName[name] { exceptions[name] = .version(resource.version) }
            }
        }
        base = nil
        isWildcard = true
        owesAnswer = true
    }

    mutating func unsubscribeFromAll() {
        guard isWildcard else { return }
        isWildcard = false
        forgetUncovered()
    }

    /// Where the client asks for just what there is, which is the rule, its names take no memory of their own.
    mutating func shareNames(with set: ResourceSet?) {
        guard let all = set?.names, all.count == names.count, all == names else { return }
        names = all
    }

    /// A client forgets what it unsubscribes from. If a wildcard still covers the name, it must be told again.
    mutating func unsubscribe(_ name: String) {
        guard names.remove(name) != nil else { return }
        if isWildcard {
            due.insert(name)
        } else {
            due.remove(name)
            exceptions[name] = nil
            held[name] = nil
        }
    }

    private mutating func forgetUncovered() {
        due = due.filter { covers($0) }
        exceptions = exceptions.filter { covers($0.key) }
        held = held.filter { covers($0.key) }
    }

    /// The client needs this resource anew although it has not changed.
    mutating func require(_ name: String) {
        // Before the first request nothing is known of its names; what does not fit then is dropped.
        if !isOpen || covers(name) { due.insert(name) }
    }

    // MARK: What it gets

    /// True if a pass could find something to send; never false if it would.
    func wants(_ set: ResourceSet, at now: Instant) -> Bool {
        owesAnswer || !due.isEmpty || base?.version != set.version || held.values.contains { $0.until <= now }
    }

    /// The way from what the client holds to `set`. What is returned counts as sent.
    mutating func take(
        from set: ResourceSet, removals: Removals, at now: Instant, placeholder: PlaceholderSource
    ) -> Delivery? {
        if let base, isWildcard, exceptions.isEmpty, due.isEmpty {
            let diff = set.diff(since: base)
            if case .now = removals {
            } else if !diff.removed.isEmpty {
                return takeByName(from: set, removals: removals, at: now, placeholder: placeholder)
            }
            self.base = set
            guard !diff.isEmpty || owesAnswer else { return nil }
            defer { owesAnswer = false }
            return Delivery(changed: diff.changed, removed: diff.removed, isAnswer: owesAnswer)
        }
        return takeByName(from: set, removals: removals, at: now, placeholder: placeholder)
    }

    private mutating func takeByName(
        from set: ResourceSet, removals: Removals, at now: Instant, placeholder: PlaceholderSource
    ) -> Delivery? {
        var delivery = Delivery(isAnswer: owesAnswer || due.contains(where: covers))
        var kept: [String: Holding] = [:]
        var doubts = Delivery()
        var touchesRefused = false

        func retire(_ name: String, _ holding: Holding) {
            if case .heldUntil(let until) = removals {
                let entry = held[name] ?? HeldRemoval(until: until, resource: base?.byName[name])
                if entry.until > now {
                    held[name] = entry
                    kept[name] = holding
                    return
                }
            }
            delivery.removed.append(name)
        }

        for name in due where covers(name) {
            if let resource = set.byName[name] {
                delivery.changed.append(resource)
            } else if let resource = placeholder(type, name) {
                delivery.changed.append(resource)
                kept[name] = .version(resource.version)
            } else {
                delivery.removed.append(name)
            }
        }
        for (name, holding) in exceptions where covers(name) && !due.contains(name) {
            let resource = set.byName[name]
            switch (holding, resource) {
            case (.absent, nil):
                break
            case (.absent, let resource?), (.foreign, let resource?):
                delivery.changed.append(resource)
            case (.foreign, nil):
                retire(name, holding)
            case (.version(let version), let resource?):
                if resource.version != version { delivery.changed.append(resource) }
            case (.version(let version), nil):
                if placeholder(type, name)?.version == version {
                    kept[name] = holding
                } else {
                    retire(name, holding)
                }
            case (.refused(let version), let resource?):
                if resource.version == version {
                    kept[name] = holding
                } else {
                    delivery.changed.append(resource)
                    touchesRefused = true
                }
            case (.refused, nil), (.doubted(_?), nil):
                retire(name, holding)
                touchesRefused = true
            case (.doubted(let version), let resource?):
                if resource.version == version {
                    doubts.changed.append(resource)
                } else {
                    delivery.changed.append(resource)
                    touchesRefused = true
                }
            case (.doubted(nil), nil):
                doubts.removed.append(name)
            }
        }
        if let base {
            let diff = set.diff(since: base)
            for resource in diff.changed
            where covers(resource.name) && exceptions[resource.name] == nil && !due.contains(resource.name) {
                delivery.changed.append(resource)
            }
            for name in diff.removed where covers(name) && exceptions[name] == nil && !due.contains(name) {
                retire(name, base.byName[name].map { .version($0.version) } ?? .foreign)
            }
        } else if isWildcard {
            for (name, resource) in set.byName where exceptions[name] == nil && !due.contains(name) {
                delivery.changed.append(resource)
            }
        }

        // What was in a refused response beside the culprit goes with the next change; if no culprit was named, with
        // the next change of something that was refused, since that is likely the cure, and any other is not.
        if culpritsAreKnown ? !delivery.isEmpty : touchesRefused {
            delivery.changed += doubts.changed
            delivery.removed += doubts.removed
        } else {
            for resource in doubts.changed { kept[resource.name] = .doubted(resource.version) }
            for name in doubts.removed { kept[name] = .doubted(nil) }
        }

        base = set
        exceptions = kept
        due = []
        if !held.isEmpty { held = held.filter { kept[$0.key] != nil } }
        guard !delivery.isEmpty || owesAnswer else { return nil }
        owesAnswer = false
        delivery.changed.sort { $0.name < $1.name }
        delivery.removed.sort()
        return delivery
    }

    // MARK: What becomes of a response

    mutating func sent(_ response: Outstanding) { outstanding = response }

    /// Newer content no longer waits for this response.
    mutating func overtake() {
        guard outstanding != nil else { return }
        outstanding = nil
        ledger.counts.overtaken += 1
    }

    mutating func acknowledged() {
        outstanding = nil
        let isOpenQuestion = exceptions.values.contains {
            switch $0 {
            case .refused, .doubted: true
            case .absent, .version, .foreign: false
            }
        }
        if !isOpenQuestion { ledger.rejection = nil }
    }

    /// `culprits`: names in the response that the client's message names. `byName`: each resource has its own fate;
    /// false where every response is the full state and so says everything again anyway.
    mutating func rejected(culprits: Set<String>, byName: Bool) {
        guard let response = outstanding else { return }
        outstanding = nil
        guard byName else { return }
        culpritsAreKnown = !culprits.isEmpty
        for resource in response.changed where covers(resource.name) {
            exceptions[resource.name] =
                culprits.contains(resource.name) ? .refused(resource.version) : .doubted(resource.version)
        }
        for name in response.removed where covers(name) && exceptions[name] == nil {
            exceptions[name] = .doubted(nil)
        }
    }
}

extension ContentVersion {
    /// Exactly what `description` prints.
    init?(text: String) {
        guard text.utf8.count == 16, text.utf8.first != UInt8(ascii: "+"), let value = UInt64(text, radix: 16) else {
            return nil
        }
        self.init(value)
    }
}
