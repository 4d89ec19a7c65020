using System.Buffers;
using System.Buffers.Binary;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Servers;

public class FramingTests
{
    public static TheoryData<string, byte[]> BadFrames() => new()
    {
        { "frame length 3", Prefix(3, 0) },
        { "frame length -1", Prefix(-1, 0) },
        { "frame length 16777217", Prefix((16 * 1024 * 1024) + 1, 0) },
        { "header length 97", Prefix(100, 97) },
        { "serialization type 7", Prefix(100, (7 << 24) | 10) },
        { "malformed", RawClient.JsonFrame("hello") },
        { "no code", RawClient.JsonFrame("""{"opaque":1}""") },
        { "holds a JSON StartObject", RawClient.JsonFrame("""{"code":10,"extFields":{"a":{"b":1}}}""") },
        { "binary header of 3 bytes", [0, 0, 0, 7, 1, 0, 0, 3, 1, 2, 3] },
        { "frame length 1195725856", "GET / HTTP/1.1\r\n\r\n"u8.ToArray() },
    };

    private static byte[] Prefix(int frameLength, int typeAndHeaderLength)
    {
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(prefix, frameLength);
        BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(4), typeAndHeaderLength);
        return prefix;
    }

    [Theory]
    [InlineData(SerializeType.Json)]
    [InlineData(SerializeType.RocketMq)]
    public async Task Request_SentInTwoPartsAtEveryByte_IsAnswered(SerializeType type)
    {
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing());
        using RawClient client = await server.ConnectAsync();
        byte[] frame = RawClient.Request(Tables.Echo, 1, 42, type, body: "body"u8.ToArray());
        for (int cut = 1; cut < frame.Length; cut++)
        {
            await client.SendAsync(frame[..cut], frame[cut..]);
            RemotingCommand answer = await client.ReadAnswerAsync();
            Assert.Equal((ResponseCode.Success, 1, type), (answer.ResponseCode, answer.Opaque, answer.SerializeType));
            Assert.Equal(42, answer.Fields.GetInt32("number"u8));
            Assert.Equal("body"u8.ToArray(), answer.Body.ToArray());
        }
    }

    [Fact]
    public async Task Requests_ManyInOneSegment_AreAnsweredInOrder()
    {
        const int Requests = 2_000;
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing());
        using RawClient client = await server.ConnectAsync();
        Task sending = client.SendAsync([.. Enumerable.Range(0, Requests).SelectMany(i => RawClient.Request(Tables.Echo, i, i))]);
        for (int i = 0; i < Requests; i++)
        {
            RemotingCommand answer = await client.ReadAnswerAsync();
            Assert.Equal((i, i), (answer.Opaque, answer.Fields.GetInt32("number"u8)));
        }

        await sending;
    }

    [Theory]
    [MemberData(nameof(BadFrames))]
    public async Task BadFrame_AfterAGoodOne_ClosesWithOneLineAndDisturbsNobody(string reason, byte[] bad)
    {
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing());
        using RawClient other = await server.ConnectAsync();
        await other.SendAsync(RawClient.Request(Tables.Echo, 1));
        await other.ReadAnswerAsync();

        using RawClient client = await server.ConnectAsync();
        await client.SendAsync([.. RawClient.Request(Tables.Echo, 5), .. bad]);
        Assert.Equal(5, (await client.ReadAnswerAsync()).Opaque);
        Assert.Null(await client.ReadAsync());

        await other.SendAsync(RawClient.Request(Tables.Echo, 2));
        Assert.Equal(2, (await other.ReadAnswerAsync()).Opaque);
        await Eventually.TrueAsync(() => server.Server.ConnectionCount == 1);
        Assert.Contains(reason, Assert.Single(server.Log.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HalfAFrame_Abandoned_IsForgottenWithOneLine()
    {
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing());
        byte[] frame = RawClient.Request(Tables.Echo, 1);
        using (RawClient client = await server.ConnectAsync())
        {
            await client.SendAsync(RawClient.Request(Tables.Echo, 1));
            await client.ReadAnswerAsync();
            await client.SendAsync(frame[..^1]);
        }

        await Eventually.TrueAsync(() => server.Server.ConnectionCount == 0);
        string line = Assert.Single(server.Log.Lines, line => !line.StartsWith("Listening", StringComparison.Ordinal));
        Assert.Contains($"{frame.Length - 1} bytes", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_LargestFrame_IsAnswered()
    {
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing());
        using RawClient client = await server.ConnectAsync();
        byte[] body = new byte[15 * 1024 * 1024];
        new Random(1).NextBytes(body);
        Task sending = client.SendAsync(RawClient.Request(Tables.Echo, 1, body: body));
        Assert.Equal(body, (await client.ReadAnswerAsync()).Body.ToArray());
        await sending;
    }
}
