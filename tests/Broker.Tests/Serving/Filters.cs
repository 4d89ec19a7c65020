using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Serving;

/// <summary>What consumers with conditions on properties ask of a broker, in few words.</summary>
internal static class Filters
{
    /// <summary>Subscribes, and returns once the index has it.</summary>
    public static async Task SubscribeAsync(
        this Peer peer, string group, string topic, string expression, long version = 1, string type = "SQL92")
    {
        await peer.HeartbeatAsync(
            group, [new SubscriptionData { Topic = topic, SubString = expression, ExpressionType = type, SubVersion = version }]);
        await peer.UntilFiltersAsync(topic, stats => stats.NotIndexed == 0);
    }

    public static Task<FilterStats> FiltersAsync(this Peer peer, string topic) =>
        peer.AskAsync<TopicHeader, FilterStats>(RequestCode.ShowFilters, new TopicHeader(topic));

    /// <summary>Waits until the broker's filters of a topic are as they should be.</summary>
    public static async Task UntilFiltersAsync(this Peer peer, string topic, Func<FilterStats, bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition(await peer.FiltersAsync(topic)))
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>Waits until what so many messages match is kept beside their entries: a moment after they can be read.</summary>
    public static Task AnsweredAsync(this Peer peer, string topic, int messages) =>
        peer.UntilFiltersAsync(topic, stats => stats.Messages == messages);

    /// <summary>Stores messages with a type and an amount, and returns once they can be read.</summary>
    public static async Task StoreTradesAsync(this Peer peer, string topic, params (string Body, string Type, int Amount)[] trades)
    {
        foreach ((string body, string type, int amount) in trades)
        {
            await peer.StoreAsync(topic, body, ("messageType", type), ("amount", amount.ToString(CultureInfo.InvariantCulture)));
        }
    }

    public static async Task StoreAsync(this Peer peer, string topic, string body, params (string Name, string Value)[] properties)
    {
        RemotingCommand reply = await peer.SendAsync(Sends.Header(topic, 0, Sends.Properties(properties)), body);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        await peer.DispatchedAsync(topic, SendMessageResponseHeader.Read(reply.Fields).QueueOffset + 1);
    }

    /// <summary>All that a group gets of the topic's first queue, from its beginning to its end.</summary>
    /// <param name="expression">Of type SQL92, in the request; null leaves it to what the group has said in its heartbeats.</param>
    public static async Task<List<string>> PullBodiesAsync(this Peer peer, string group, string topic, string? expression = null)
    {
        var bodies = new List<string>();
        long end = await peer.MaxOffsetAsync(topic);
        for (long next = 0; next < end;)
        {
            RemotingCommand reply = await peer.PullAsync(Pulls.Header(topic, next, expression: expression) with
            {
                ConsumerGroup = Encoding.UTF8.GetBytes(group),
                ExpressionType = "SQL92"u8.ToArray(),
            });
            Assert.True(
                reply.ResponseCode is ResponseCode.Success or ResponseCode.PullRetryImmediately, $"{reply.ResponseCode} {reply.Remark}");
            bodies.AddRange(reply.ResponseCode == ResponseCode.Success ? Pulls.Bodies(reply) : []);
            next = PullMessageResponseHeader.Read(reply.Fields).NextBeginOffset;
        }

        return bodies;
    }

    /// <summary>Changes a topic's attributes, written as <c>+key=value</c> or <c>-key</c>.</summary>
    public static Task<RemotingCommand> SetAttributesAsync(this Peer peer, string topic, string modifications) =>
        peer.AskAsync(RequestCode.UpdateAndCreateTopic, new CreateTopicHeader
        {
            Topic = topic,
            ReadQueueNums = 1,
            WriteQueueNums = 1,
            Permission = 6,
            Attributes = modifications,
        });
}
