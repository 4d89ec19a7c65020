using System.Collections.Concurrent;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>A consumer that takes part in a published scenario.</summary>
internal interface IScenarioConsumer
{
    /// <summary>What it was given, as <c>topic:body</c>.</summary>
    ConcurrentQueue<string> Consumed { get; }

    /// <summary>What went wrong; null as long as nothing has.</summary>
    Exception? Failure { get; }

    /// <summary>Whether it shares the queues with so many others of its side, itself counted in.</summary>
    bool IsAmong(int members);
}

/// <summary>
/// The five published scenarios: v1 and v2 of one group, 6 queues, gray size 2, four clients each. Every message is consumed by the side that
/// it is for, and by no other; after the promotion everything by v2.
/// </summary>
/// <param name="gray">The broker.</param>
/// <param name="consume">Starts a consumer: its client id, which begins with v1 or v2, and what it subscribes to.</param>
internal sealed class PublishedScenario(
    GrayFixture gray, Func<string, (string Topic, string Tags)[], Task<IScenarioConsumer>> consume)
{
    public const string Group = "billing";

    private const int Clients = 4;
    private const int Rounds = 12;

    private static readonly string[] Topics = ["Orders", "Parcels"];
    private static readonly string[] Tags = ["A", "B"];
    private static readonly int[] GrayQueues = [0, 5];
    private static readonly bool[] Marks = [false, true];

    public Task SameSubscriptionAsync() => RunAsync([("Orders", "*")], [("Orders", "*")], GrayPromotion.Join);

    public Task TopicAddedAsync() => RunAsync([("Orders", "*")], [("Orders", "*"), ("Parcels", "*")], GrayPromotion.Replace);

    public Task TopicRemovedAsync() => RunAsync([("Orders", "*"), ("Parcels", "*")], [("Orders", "*")], GrayPromotion.Replace);

    public Task TagChangedAsync() => RunAsync([("Orders", "A")], [("Orders", "B")], GrayPromotion.Replace);

    public Task TopicAndTagChangedAsync() =>
        RunAsync([("Orders", "A")], [("Orders", "A || B"), ("Parcels", "B")], GrayPromotion.Replace);

    private async Task RunAsync((string Topic, string Tags)[] v1, (string Topic, string Tags)[] v2, GrayPromotion promotion)
    {
        foreach (string topic in Topics)
        {
            await gray.CreateAsync(topic);
            await gray.State.SetTopicAsync(topic, 6);
        }

        List<IScenarioConsumer> normal = await StartAsync("v1", v1);
        var expectedOfV1 = new List<string>();
        var expectedOfV2 = new List<string>();

        // Before there is a release, the group is plain. A topic of v2 alone would be consumed from its first message on.
        foreach ((string topic, string tag, string body, bool isGray) in Messages("before").Where(each => v1.Any(of => of.Topic == each.Topic)))
        {
            await gray.SendAsync(topic, body, isGray, (body.Length + body[^1]) % 6, tag);
            Expect(expectedOfV1, v1, topic, tag, body);
        }

        await ConsumedAsync(normal, expectedOfV1, "before the release");
        await gray.State.OpenAsync(Group);
        List<IScenarioConsumer> canaries = await StartAsync("v2", v2);
        await gray.State.DoneAsync(Group);
        await TogetherAsync(canaries);

        // Clients may know of each other before the broker has handed them what is gray, and what comes before that is the normal side's.
        await Eventually.TrueAsync(
            () => v2.All(each => GrayQueues.All(queueId => gray.State.Progress?.Queues.Any(queue =>
                queue.Topic == each.Topic && queue.Queue == queueId && queue is { Owner: Side.Gray, IsHandedOver: false }) == true)),
            "the gray queues are the canaries'");
        var waiting = new List<string>();
        await SendOpenAsync("open");
        await ConsumedAsync(normal, expectedOfV1, "of v1 while open");
        await ConsumedAsync(canaries, expectedOfV2, "of v2 while open");

        // What is not consumed yet is on its way when the promotion begins.
        await SendOpenAsync("late");
        await gray.State.PromoteAsync(Group, promotion);
        List<IScenarioConsumer> after = promotion == GrayPromotion.Join ? [.. normal, .. canaries] : canaries;
        await TogetherAsync(after);
        List<string> expectedAfter = [];
        foreach ((string topic, string tag, string body, bool isGray) in Messages("after"))
        {
            await gray.SendAsync(topic, body, isGray, (body.Length + body[^1]) % 6, tag);
            Expect(expectedAfter, v2, topic, tag, body);
        }

        if (promotion == GrayPromotion.Join)
        {
            await ConsumedAsync(after, [.. expectedOfV1, .. expectedOfV2, .. expectedAfter], "of both");
            Assert.All(canaries, client => Assert.DoesNotContain(client.Consumed, each => IsOf(each, "open-normal")));
            Assert.All(normal, client => Assert.DoesNotContain(client.Consumed, each => IsOf(each, "open-gray")));
        }
        else
        {
            await ConsumedAsync(normal, expectedOfV1, "of v1");
            await ConsumedAsync(canaries, [.. expectedOfV2, .. waiting, .. expectedAfter], "of v2");
        }

        async Task SendOpenAsync(string phase)
        {
            foreach ((string topic, string tag, string body, bool isGray) in Messages(phase))
            {
                await gray.SendAsync(topic, body, isGray, (body.Length + body[^1]) % 6, tag);
                if (isGray && v2.Any(each => each.Topic == topic))
                {
                    Expect(expectedOfV2, v2, topic, tag, body);
                }
                else if (isGray || v1.Any(each => each.Topic == topic))
                {
                    Expect(expectedOfV1, v1, topic, tag, body);
                }
                else
                {
                    // Normal messages of a topic that only v2 knows: they wait for its promotion.
                    Expect(waiting, v2, topic, tag, body);
                }
            }
        }
    }

    private static bool IsOf(string consumed, string phase) => consumed.Contains(phase, StringComparison.Ordinal);

    private async Task<List<IScenarioConsumer>> StartAsync(string version, (string Topic, string Tags)[] subscriptions)
    {
        var clients = new List<IScenarioConsumer>();
        for (int i = 0; i < Clients; i++)
        {
            clients.Add(await consume($"{version}-{i}@1", subscriptions));
        }

        return clients;
    }

    private static IEnumerable<(string Topic, string Tag, string Body, bool IsGray)> Messages(string phase) =>
        from i in Enumerable.Range(0, Rounds)
        from topic in Topics
        from isGray in Marks
        select (topic, Tags[i % 2], $"{phase}-{(isGray ? "gray" : "normal")}-{i % 6}-{i}", isGray);

    private static void Expect(List<string> expected, (string Topic, string Tags)[] subscriptions, string topic, string tag, string body)
    {
        if (subscriptions.Any(each =>
            each.Topic == topic && (each.Tags == "*" || each.Tags.Split("||", StringSplitOptions.TrimEntries).Contains(tag))))
        {
            expected.Add($"{topic}:{body}");
        }
    }

    private static async Task TogetherAsync(List<IScenarioConsumer> clients)
    {
        await Eventually.TrueAsync(
            () => clients.TrueForAll(client => client.IsAmong(clients.Count)) || clients.Exists(client => client.Failure is not null),
            "all clients know of each other");
        AssertNoneFailed(clients);
    }

    private static void AssertNoneFailed(List<IScenarioConsumer> clients) => Assert.All(clients, client => Assert.Null(client.Failure));

    private static async Task ConsumedAsync(List<IScenarioConsumer> clients, List<string> expected, string what)
    {
        string[] sorted = [.. expected.Order(StringComparer.Ordinal)];

        // Joins and leaves of such clients consume a few messages twice, as they do without gray; none may be consumed by the other side.
        await Eventually.TrueAsync(
            () => Distinct().Count() >= sorted.Length || clients.Exists(client => client.Failure is not null),
            $"{what}: {sorted.Length} messages");
        AssertNoneFailed(clients);
        Assert.Equal(sorted, Distinct().Order(StringComparer.Ordinal));

        IEnumerable<string> Distinct() => clients.SelectMany(client => client.Consumed).Distinct(StringComparer.Ordinal);
    }
}
