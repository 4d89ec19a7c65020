using System.Net;
using System.Net.Sockets;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.NameServer.Tests;

public sealed class GoldenReplayTests
{
    [Fact]
    public async Task RecordedRequests_Replayed_AreAnsweredAsByRocketMq()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        var connections = new Dictionary<string, Socket>();
        int compared = 0;
        try
        {
            foreach (GoldenConversation.Exchange exchange in GoldenConversation.Read(
                "register.jsonl", "send-pull.jsonl", "send-pull-binary.jsonl", "mqadmin.jsonl"))
            {
                // A broker registers on one connection for all of the recording.
                bool register = GoldenConversation.Decode(exchange.Request).RequestCode == RequestCode.RegisterBroker;
                RemotingCommand actual = await GoldenConversation.AskAsync(
                    Connection(register ? "broker" : exchange.Connection), exchange.Request);

                RemotingCommand expected = GoldenConversation.Decode(exchange.Answer);
                string what = Encoding.UTF8.GetString(exchange.Request);
                Assert.True(expected.Code == actual.Code, what);
                Assert.True(expected.Remark == actual.Remark, what);
                Assert.True(expected.Flag == actual.Flag, what);
                Assert.Equal(expected.Opaque, actual.Opaque);
                Assert.Equal(expected.Fields.ToDictionary(), actual.Fields.ToDictionary());
                Assert.Equal(Comparable(exchange.Request, expected), Comparable(exchange.Request, actual));
                compared++;
            }
        }
        finally
        {
            foreach (Socket socket in connections.Values)
            {
                socket.Dispose();
            }
        }

        Assert.True(compared > 60, $"{compared} answers were compared");

        Socket Connection(string name)
        {
            if (!connections.TryGetValue(name, out Socket? socket))
            {
                connections[name] = socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                socket.Connect(IPAddress.Loopback, server.Port);
            }

            return socket;
        }
    }

    // Names of topics come in no order; everything else is compared byte for byte.
    private static string Comparable(byte[] request, RemotingCommand answer) =>
        GoldenConversation.Decode(request).RequestCode == RequestCode.GetAllTopicListFromNameServer
            ? string.Join(' ', BodyCodec.Decode<TopicList>(answer.Body).Topics.Order(StringComparer.Ordinal))
            : Encoding.UTF8.GetString(answer.Body);
}
