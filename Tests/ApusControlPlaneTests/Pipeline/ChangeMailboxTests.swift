import ApusControlPlane
import Testing

struct ChangeMailboxTests {
    @Test func whatWaitsIsMergedAndTheNewerContentCounts() async {
        let mailbox = ChangeMailbox()
        mailbox.post([Manifests.change("b", "1"), Manifests.change("a", "1")])
        mailbox.post([Manifests.change("b", nil)])
        #expect(await mailbox.next() == [Manifests.change("a", "1"), Manifests.change("b", nil)])
    }

    @Test func anEmptyBatchIsABatch() async {
        let mailbox = ChangeMailbox()
        mailbox.post([])
        #expect(await mailbox.next() == [])
    }

    @Test func aWaitingReaderIsWoken() async {
        let mailbox = ChangeMailbox()
        async let batch = mailbox.next()
        mailbox.post([Manifests.change("a", "1")])
        #expect(await batch == [Manifests.change("a", "1")])
    }

    @Test func aClosedMailboxGivesWhatWaitsAndEnds() async {
        let mailbox = ChangeMailbox()
        mailbox.post([Manifests.change("a", "1")])
        mailbox.close()
        mailbox.post([Manifests.change("b", "1")])
        #expect(await mailbox.next() == [Manifests.change("a", "1")])
        #expect(await mailbox.next() == nil)
    }
}
