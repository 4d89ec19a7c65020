using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Serving;

/// <summary>What producers ask of a broker, in few words.</summary>
internal static class Sends
{
    public static SendMessageHeader Header(string topic, int queueId = 0, string properties = "") => new()
    {
        ProducerGroup = "P"u8.ToArray(),
        Topic = Encoding.UTF8.GetBytes(topic),
        DefaultTopic = "TBW102"u8.ToArray(),
        DefaultTopicQueueNums = 2,
        QueueId = queueId,
        BornTimestampMs = 1_700_000_000_000,
        Properties = Encoding.UTF8.GetBytes(properties),
    };

    /// <summary>Properties as they travel: <c>("TAGS", "a")</c> and so on, each with a separator behind it.</summary>
    public static string Properties(params (string Name, string Value)[] properties) =>
        string.Concat(properties.Select(property => $"{property.Name}\u0001{property.Value}\u0002"));

    public static Task<RemotingCommand> SendAsync(this Peer peer, SendMessageHeader header, string body = "hello") =>
        peer.AskAsync(RequestCode.SendMessageV2, header, Encoding.UTF8.GetBytes(body));

    /// <summary>Sends what has to be stored.</summary>
    public static async Task<RemotingCommand> StoreAsync(this Peer peer, string topic, string body, string? tag = null, int queueId = 0)
    {
        RemotingCommand reply = await peer.SendAsync(Header(topic, queueId, tag is null ? "" : Properties(("TAGS", tag))), body);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        return reply;
    }

    public static async Task RefusedAsync(this Peer peer, ResponseCode code, SendMessageHeader header, string body = "hello")
    {
        RemotingCommand reply = await peer.SendAsync(header, body);
        Assert.Equal(code, reply.ResponseCode);
        Assert.False(string.IsNullOrEmpty(reply.Remark));
    }

    public static Task<RemotingCommand> CreateTopicAsync(this Peer peer, string topic, int queueNums, int permission = 6) =>
        peer.AskAsync(RequestCode.UpdateAndCreateTopic, new CreateTopicHeader
        {
            Topic = topic,
            ReadQueueNums = queueNums,
            WriteQueueNums = queueNums,
            Permission = permission,
        });

    /// <summary>The message at an offset, as a consumer gets it; waits until the broker has dispatched it.</summary>
    public static async Task<ReceivedMessage> ReadAsync(this Peer peer, string topic, long offset, int queueId = 0)
    {
        PullMessageHeader pull = Pulls.Header(topic, offset, queueId, suspendMs: 10_000) with { MaxMessages = 1 };
        RemotingCommand reply = await peer.AskAsync(RequestCode.PullMessage, pull);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        return Assert.Single(Pulls.Messages(reply));
    }
}
