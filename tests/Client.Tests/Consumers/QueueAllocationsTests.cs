using GrayMQ.Client.Consumers.Rebalance;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Tests.Consumers;

public class QueueAllocationsTests
{
    [Theory]
    [InlineData(8, 3, "0 1 2|3 4 5|6 7")]
    [InlineData(8, 2, "0 1 2 3|4 5 6 7")]
    [InlineData(7, 4, "0 1|2 3|4 5|6")]
    [InlineData(2, 3, "0|1|")]
    [InlineData(3, 3, "0|1|2")]
    [InlineData(1, 1, "0")]
    [InlineData(0, 2, "|")]
    public void Average_GivesContiguousRuns(int queues, int clients, string expected) =>
        Assert.Equal(expected, Shares(QueueAllocations.Average, Queues(queues), Clients(clients)));

    [Theory]
    [InlineData(8, 3, "0 3 6|1 4 7|2 5")]
    [InlineData(2, 3, "0|1|")]
    [InlineData(4, 1, "0 1 2 3")]
    public void AverageByCircle_DealsThemOut(int queues, int clients, string expected) =>
        Assert.Equal(expected, Shares(QueueAllocations.AverageByCircle, Queues(queues), Clients(clients)));

    [Fact]
    public void Configured_GivesWhatWasConfigured_OfTheTopicInQuestion()
    {
        MessageQueue[] queues = Queues(4);
        IQueueAllocation allocation = QueueAllocations.Configured([queues[3], queues[1], new("other", "b", 0)]);

        Assert.Equal([queues[3], queues[1]], allocation.Allocate("g", "c0", queues, Clients(2)));
        Assert.Equal("CONFIG", allocation.Name);
    }

    [Theory]
    [InlineData(5, 2, "0 1 4|2 3")]
    [InlineData(4, 3, "0 3|1|2")]
    [InlineData(1, 2, "0|")]
    public void MachineRoom_SharesTheQueuesOfItsRooms_TheRestFromTheEnd(int queues, int clients, string expected)
    {
        MessageQueue[] inRoom = [.. Enumerable.Range(0, queues).Select(id => new MessageQueue("t", "r1@b", id))];
        MessageQueue[] elsewhere = [new("t", "r2@b", 0), new("t", "b", 0)];

        Assert.Equal(
            expected, Shares(QueueAllocations.MachineRoom(["r1"]), [.. inRoom, .. elsewhere], Clients(clients)));
    }

    [Fact]
    public void MachineRoomNearby_KeepsQueuesInTheirRoom_AndSharesThoseOfEmptyRooms()
    {
        MessageQueue[] queues =
        [
            new("t", "r1@b", 0), new("t", "r1@b", 1), new("t", "r2@b", 2), new("t", "r2@b", 3), new("t", "r3@b", 4), new("t", "r3@b", 5),
        ];
        IQueueAllocation allocation = QueueAllocations.MachineRoomNearby(
            QueueAllocations.Average, queue => queue.BrokerName.Split('@')[0], client => client.Split('-')[0]);

        Assert.Equal("0 4|1 5|2 3", Shares(allocation, queues, ["r1-a", "r1-b", "r2-a"]));
        Assert.Equal("MACHINE_ROOM_NEARBY-AVG", allocation.Name);
    }

    // Computed by RocketMQ 5.3.3's AllocateMessageQueueConsistentHash for the same queues and clients.
    [Theory]
    [InlineData(10, "0 2 8|1 5 6 7 9 10 11|3 4")]
    [InlineData(3, "0 8|3 4 6 9 10|1 2 5 7 11")]
    public void ConsistentHash_GivesWhatJavaComputes(int virtualNodes, string expected) =>
        Assert.Equal(
            expected,
            Shares(
                QueueAllocations.ConsistentHash(virtualNodes),
                [.. Enumerable.Range(0, 12).Select(id => new MessageQueue("TopicTest", "broker-a", id))],
                ["10.0.0.1@100", "10.0.0.2@200", "10.0.0.3@300"]));

    [Fact]
    public void ConsistentHash_ClientLeaves_OnlyItsQueuesMove()
    {
        IQueueAllocation allocation = QueueAllocations.ConsistentHash();
        MessageQueue[] queues = Queues(100);
        string[] clients = Clients(5);

        foreach (string client in clients[..4])
        {
            IReadOnlyList<MessageQueue> before = allocation.Allocate("g", client, queues, clients);
            Assert.Empty(before.Except(allocation.Allocate("g", client, queues, clients[..4])));
        }
    }

    public static TheoryData<IQueueAllocation> All => new(
        QueueAllocations.Average,
        QueueAllocations.AverageByCircle,
        QueueAllocations.ConsistentHash(),
        QueueAllocations.MachineRoom(["r"]));

    [Theory]
    [MemberData(nameof(All))]
    public void Allocate_AnyNumbers_GivesEachQueueToOneClient(IQueueAllocation allocation)
    {
        for (int queueCount = 0; queueCount < 20; queueCount++)
        {
            MessageQueue[] queues = [.. Enumerable.Range(0, queueCount).Select(id => new MessageQueue("t", "r@b", id))];
            for (int clientCount = 1; clientCount < 12; clientCount++)
            {
                string[] clients = Clients(clientCount);
                Assert.Equal(queues, clients.SelectMany(client => allocation.Allocate("g", client, queues, clients)).Order());
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Allocate_ClientThatIsNoMember_GetsNothing(IQueueAllocation allocation) =>
        Assert.Empty(allocation.Allocate("g", "stranger", Queues(4), Clients(2)));

    private static MessageQueue[] Queues(int count) => [.. Enumerable.Range(0, count).Select(id => new MessageQueue("t", "b", id))];

    private static string[] Clients(int count) => [.. Enumerable.Range(0, count).Select(i => $"c{(char)('a' + i)}")];

    private static string Shares(IQueueAllocation allocation, MessageQueue[] queues, string[] clients) => string.Join(
        '|',
        clients.Select(client => string.Join(' ', allocation.Allocate("g", client, queues, clients).Select(queue => queue.QueueId))));
}
