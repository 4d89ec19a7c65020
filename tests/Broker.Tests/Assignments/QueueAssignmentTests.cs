using System.Globalization;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Assignments;

public sealed class QueueAssignmentTests
{
    public static TheoryData<string, int, int, int, string, string> SharesOfRocketMQ() =>
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Assignments", "Golden", "shares.tsv"))
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split('\t'))
            .Select(cells => (cells[0], Number(cells[1]), Number(cells[2]), Number(cells[3]), cells[4], cells[5])),
    ];

    [Theory]
    [MemberData(nameof(SharesOfRocketMQ))]
    public void Shares_OfEachConsumer_AreThoseOfRocketMQ(string rule, int queueCount, int clients, int share, string pulled, string popped)
    {
        MessageQueue[] queues = [.. Enumerable.Range(0, queueCount)
            .Select(i => new MessageQueue("TopicTest", i % 2 == 0 ? "broker-a" : "broker-b", i / 2))
            .Order()];
        string[] ids = [.. Enumerable.Range(1, clients)
            .Select(i => string.Create(CultureInfo.InvariantCulture, $"10.0.0.{i}@{100 * i}"))
            .Order(StringComparer.Ordinal)];

        Assert.Equal(pulled, string.Join('|', ids.Select(id => Text(QueueAssignment.ForPull(rule, id, queues, ids)))));
        Assert.Equal(popped, string.Join('|', ids.Select(id => Text(QueueAssignment.ForPop(rule, id, queues, ids, share)))));
    }

    [Fact]
    public void Shares_OfSomebodyWhoIsNotInTheGroup_AreNone()
    {
        MessageQueue[] queues = [new("T", "b", 0), new("T", "b", 1), new("T", "b", 2)];

        Assert.Empty(QueueAssignment.ForPull("AVG", "stranger", queues, ["c1", "c2", "c3"]));
        Assert.Empty(QueueAssignment.ForPop("AVG", "stranger", queues, ["c1", "c2", "c3"], 1));
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(IEnumerable<MessageQueue> queues) =>
        string.Join(' ', queues.Order().Select(queue => $"{queue.BrokerName[^1]}{(queue.QueueId < 0 ? "*" : queue.QueueId)}"));
}
