using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Google.Protobuf.WellKnownTypes;
using GrayMQ.Grpc.Framing;
using GrayMQ.Grpc.Rpc;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Transports;

namespace GrayMQ.Grpc.Tests.Servers;

public sealed class GrpcServerTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Unary_OnOnePort_AnswersPlainTextAndTls(bool tls)
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint, tls);

        RawGrpcClient.Answer answer = await client.CallAsync("/test.Echo/Unary", new StringValue { Value = "hello" });

        Assert.Equal(GrpcStatusCode.Ok, answer.Status);
        Assert.Equal("hello", answer.Only(StringValue.Parser).Value);
    }

    [Fact]
    public async Task Server_GivenAListeningSocket_AnswersWhoCameBeforeIt()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        var endPoint = (IPEndPoint)socket.LocalEndPoint!;
        using var client = new RawGrpcClient(endPoint);
        Task<RawGrpcClient.Answer> waiting = client.CallAsync("/test.Echo/Unary", new StringValue { Value = "early" });

        await using EchoServer server = await EchoServer.StartAsync(
            options => options with { EndPoint = endPoint }, new ListeningSockets(socket));

        Assert.Equal("early", (await waiting).Only(StringValue.Parser).Value);
    }

    [Theory]
    [InlineData(TlsMode.Enforcing, false)]
    [InlineData(TlsMode.Disabled, true)]
    public async Task Connection_OfTheOtherKind_IsRefused(TlsMode mode, bool tls)
    {
        await using EchoServer server = await EchoServer.StartAsync(options => options with { TlsMode = mode });
        using var client = new RawGrpcClient(server.EndPoint, tls);
        await Assert.ThrowsAnyAsync<HttpRequestException>(
            () => client.CallAsync("/test.Echo/Unary", new StringValue { Value = "hello" }));
    }

    [Fact]
    public async Task Unary_Refused_TellsCodeMessageAndDetails()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);

        RawGrpcClient.Answer answer = await client.CallAsync("/test.Echo/Refuse", new StringValue { Value = "nicht da: 消息, 100 %" });

        Assert.Equal(GrpcStatusCode.NotFound, answer.Status);
        Assert.Equal("nicht da: 消息, 100 %", answer.Message);
        string padded = answer.Details! + new string('=', (4 - (answer.Details!.Length % 4)) % 4);
        var details = Rpc.Status.Parser.ParseFrom(Convert.FromBase64String(padded));
        Assert.Equal((int)GrpcStatusCode.NotFound, details.Code);
        Assert.Equal("NOT_HERE", ErrorInfo.Parser.ParseFrom(Assert.Single(details.Details).Value).Reason);
    }

    [Fact]
    public async Task Unary_HandlerFails_IsInternal()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        RawGrpcClient.Answer answer = await client.CallAsync("/test.Echo/Throw", new StringValue { Value = "broken" });
        Assert.Equal(GrpcStatusCode.Internal, answer.Status);
        Assert.Contains("broken", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_OfAnUnknownMethod_IsUnimplemented()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        Assert.Equal(
            GrpcStatusCode.Unimplemented, (await client.CallAsync("/test.Echo/Nothing", new StringValue())).Status);
    }

    [Fact]
    public async Task Call_PastItsDeadline_IsToldSo()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        RawGrpcClient.Answer answer = await client.CallAsync("/test.Echo/Never", new StringValue(), ("grpc-timeout", "50m"));
        Assert.Equal(GrpcStatusCode.DeadlineExceeded, answer.Status);
    }

    [Fact]
    public async Task Duplex_PastItsDeadline_IsToldSoThoughTheClientSaysNothing()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        var body = new OpenContent();
        await body.WriteAsync(RawGrpcClient.Frame(new StringValue { Value = "one" }));
        using HttpResponseMessage response = await client.OpenAsync("/test.Echo/Duplex", body, [("grpc-timeout", "500m")]);
        using var limit = new CancellationTokenSource(RawGrpcClient.Deadline);

        byte[] answers = await response.Content.ReadAsByteArrayAsync(limit.Token);

        Assert.Equal(GrpcStatusCode.DeadlineExceeded, RawGrpcClient.Answer.Of(response, answers).Status);
        body.End();
    }

    [Theory]
    [InlineData("1")]
    [InlineData("soon")]
    public async Task Call_WithAMalformedTimeout_IsRefused(string timeout)
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        RawGrpcClient.Answer answer = await client.CallAsync("/test.Echo/Unary", new StringValue(), ("grpc-timeout", timeout));
        Assert.Equal(GrpcStatusCode.Internal, answer.Status);
    }

    [Fact]
    public async Task Unary_Packed_IsUnpackedAndAnsweredInKind()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        var request = new StringValue { Value = new string('x', 10_000) };

        RawGrpcClient.Answer answer = await client.CallAsync(
            "/test.Echo/Unary",
            RawGrpcClient.Frame(Pack(Google.Protobuf.MessageExtensions.ToByteArray(request)), packed: true),
            ("grpc-encoding", "gzip"),
            ("grpc-accept-encoding", "identity,gzip"));

        Assert.Equal(GrpcStatusCode.Ok, answer.Status);
        Assert.Equal("gzip", answer.Encoding);
        (bool packed, byte[] bytes) = Assert.Single(answer.Messages);
        Assert.True(packed);
        Assert.Equal(request, StringValue.Parser.ParseFrom(Unpack(bytes)));
    }

    [Fact]
    public async Task Unary_PackedSmallAndUnpackedHuge_IsRefusedBeforeItIsAllUnpacked()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        RawGrpcClient.Answer answer = await client.CallAsync(
            "/test.Echo/Unary", RawGrpcClient.Frame(Pack(new byte[64 * 1024 * 1024]), packed: true), ("grpc-encoding", "gzip"));
        Assert.Equal(GrpcStatusCode.ResourceExhausted, answer.Status);
    }

    [Fact]
    public async Task Unary_InAnUnknownEncoding_IsUnimplemented()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        RawGrpcClient.Answer answer = await client.CallAsync("/test.Echo/Unary", new StringValue(), ("grpc-encoding", "snappy"));
        Assert.Equal(GrpcStatusCode.Unimplemented, answer.Status);
    }

    public static TheoryData<string, byte[], GrpcStatusCode> MalformedRequests => new()
    {
        { "nothing", [], GrpcStatusCode.Internal },
        { "half a prefix", [0, 0, 0], GrpcStatusCode.Internal },
        { "half a message", [0, 0, 0, 0, 10, 1, 2], GrpcStatusCode.Internal },
        { "two messages", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], GrpcStatusCode.Internal },
        { "an unknown flag", [7, 0, 0, 0, 0], GrpcStatusCode.Internal },
        { "packed, and nobody says how", [1, 0, 0, 0, 0], GrpcStatusCode.Internal },
        { "no protobuf", [0, 0, 0, 0, 2, 0xff, 0xff], GrpcStatusCode.Internal },
        { "too long", [0, 0, 4, 0, 1], GrpcStatusCode.ResourceExhausted },
        { "longer than a number", [0, 0xff, 0xff, 0xff, 0xff], GrpcStatusCode.ResourceExhausted },
    };

    [Theory]
    [MemberData(nameof(MalformedRequests))]
    public async Task Unary_Malformed_IsRefusedAndTheConnectionGoesOn(string what, byte[] body, GrpcStatusCode expected)
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);

        RawGrpcClient.Answer answer = await client.CallAsync("/test.Echo/Unary", body);

        Assert.True(expected == answer.Status, $"{what}: {answer.Status} {answer.Message}");
        Assert.NotEmpty(answer.Message);
        Assert.Equal(
            "still here", (await client.CallAsync("/test.Echo/Unary", new StringValue { Value = "still here" })).Only(StringValue.Parser).Value);
    }

    [Fact]
    public async Task Request_ThatIsNoGrpc_IsAnsweredByHttp()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        var get = new HttpRequestMessage(HttpMethod.Get, "/test.Echo/Unary") { Version = HttpVersion.Version20 };
        get.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.SendAsync(get)).StatusCode);
        var json = new HttpRequestMessage(HttpMethod.Post, "/test.Echo/Unary") { Version = HttpVersion.Version20 };
        json.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        json.Content = new StringContent("{}", new MediaTypeHeaderValue("application/json"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await client.SendAsync(json)).StatusCode);
    }

    [Fact]
    public async Task Request_ThatDoesNotEnd_IsGivenUp()
    {
        await using EchoServer server = await EchoServer.StartAsync(
            options => options with { MaxRequestTime = TimeSpan.FromMilliseconds(200) });
        using var client = new RawGrpcClient(server.EndPoint);
        var body = new OpenContent();
        using HttpResponseMessage response = await client.OpenAsync("/test.Echo/Unary", body);
        RawGrpcClient.Answer answer = RawGrpcClient.Answer.Of(response, await response.Content.ReadAsByteArrayAsync());
        Assert.Equal(GrpcStatusCode.DeadlineExceeded, answer.Status);
        body.End();
    }

    [Fact]
    public async Task Duplex_MessageThatDoesNotEnd_IsGivenUp()
    {
        await using EchoServer server = await EchoServer.StartAsync(
            options => options with { MaxRequestTime = TimeSpan.FromMilliseconds(200) });
        using var client = new RawGrpcClient(server.EndPoint);
        var body = new OpenContent();
        await body.WriteAsync([0, 0, 4, 0, 0]);
        using HttpResponseMessage response = await client.OpenAsync("/test.Echo/Duplex", body);
        RawGrpcClient.Answer answer = RawGrpcClient.Answer.Of(response, await response.Content.ReadAsByteArrayAsync());
        Assert.Equal(GrpcStatusCode.DeadlineExceeded, answer.Status);
        body.End();
    }

    [Fact]
    public async Task Duplex_AnnouncedAndNotSent_TakesNothingFromOthers()
    {
        await using EchoServer server = await EchoServer.StartAsync(
            options => options with { MaxIncomingBytesOfAll = EchoServer.MaxMessageBytes });
        using var client = new RawGrpcClient(server.EndPoint);
        var body = new OpenContent();
        await body.WriteAsync([.. RawGrpcClient.Frame(new StringValue { Value = "one" }), 0, 0, 4, 0, 0]);
        using HttpResponseMessage response = await client.OpenAsync("/test.Echo/Duplex", body);
        await using Stream answers = await response.Content.ReadAsStreamAsync();
        Assert.Equal("one", await ReadAsync(answers));

        var large = new StringValue { Value = new string('x', EchoServer.MaxMessageBytes / 2) };
        Assert.Equal(GrpcStatusCode.Ok, (await client.CallAsync("/test.Echo/Unary", large)).Status);
        body.End();
    }

    [Fact]
    public async Task Unary_LargeOnceUnpacked_CountsUntilItIsAnswered()
    {
        await using EchoServer server = await EchoServer.StartAsync(
            options => options with { MaxIncomingBytesOfAll = EchoServer.MaxMessageBytes });
        using var client = new RawGrpcClient(server.EndPoint);
        var large = new StringValue { Value = new string('x', EchoServer.MaxMessageBytes / 2) };
        byte[] packed = RawGrpcClient.Frame(Pack(Google.Protobuf.MessageExtensions.ToByteArray(large)), packed: true);

        // Twice as many as there is room for; none of them ends while it is held.
        Task<RawGrpcClient.Answer>[] calls =
        [
            .. Enumerable.Range(0, 4).Select(_ => client.CallAsync(
                "/test.Echo/Never", packed, ("grpc-encoding", "gzip"), ("grpc-timeout", "2S"))),
        ];
        RawGrpcClient.Answer[] answers = await Task.WhenAll(calls);

        Assert.Contains(answers, answer => answer.Status == GrpcStatusCode.ResourceExhausted);
        Assert.Contains(answers, answer => answer.Status == GrpcStatusCode.DeadlineExceeded);
        Assert.Equal(GrpcStatusCode.Ok, (await client.CallAsync("/test.Echo/Unary", large)).Status);
    }

    [Fact]
    public async Task ServerStream_EndsWithStatusAfterEveryMessage()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        RawGrpcClient.Answer answer = await client.CallAsync("/test.Echo/Count", new Int32Value { Value = 1000 });
        Assert.Equal(GrpcStatusCode.Ok, answer.Status);
        Assert.Equal(
            Enumerable.Range(0, 1000), answer.Messages.Select(message => Int32Value.Parser.ParseFrom(message.Bytes).Value));
    }

    [Fact]
    public async Task ServerStream_ThatNobodyReads_WaitsAndIsCutOff()
    {
        await using EchoServer server = await EchoServer.StartAsync(
            options => options with { MaxWriteStall = TimeSpan.FromMilliseconds(500) });
        using var client = new RawGrpcClient(server.EndPoint);
        const int ChunkBytes = 64 * 1024;
        using HttpResponseMessage response = await client.OpenAsync(
            "/test.Echo/Flood", new ByteArrayContent(RawGrpcClient.Frame(new Int32Value { Value = ChunkBytes })));

        await server.FloodEnded.Task.WaitAsync(RawGrpcClient.Deadline);

        // What fits into the windows of HTTP/2 and of the socket, and no more.
        const int MostBytes = 64 * 1024 * 1024;
        Assert.InRange(server.Flooded, 0, MostBytes / ChunkBytes);
        Assert.Equal("hello", (await client.CallAsync("/test.Echo/Unary", new StringValue { Value = "hello" })).Only(StringValue.Parser).Value);
    }

    [Fact]
    public async Task ServerStream_Cancelled_EndsItsHandler()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        HttpResponseMessage response = await client.OpenAsync(
            "/test.Echo/Flood", new ByteArrayContent(RawGrpcClient.Frame(new Int32Value { Value = 1000 })));
        response.Dispose();
        await server.FloodEnded.Task.WaitAsync(RawGrpcClient.Deadline);
    }

    [Fact]
    public async Task Duplex_SpeaksInTurn_AndEndsInGoodOrderWhenTheServerStops()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        var body = new OpenContent();
        await body.WriteAsync(RawGrpcClient.Frame(new StringValue { Value = "one" }));
        using HttpResponseMessage response = await client.OpenAsync("/test.Echo/Duplex", body);
        await using Stream answers = await response.Content.ReadAsStreamAsync();
        Assert.Equal("one", await ReadAsync(answers));
        await body.WriteAsync(RawGrpcClient.Frame(new StringValue { Value = "two" }));
        Assert.Equal("two", await ReadAsync(answers));

        Task stopping = server.StopAsync();

        Assert.Equal("leaving", await ReadAsync(answers));
        Assert.Equal(0, await answers.ReadAsync(new byte[1]));
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
        body.End();
        await stopping.WaitAsync(RawGrpcClient.Deadline);
    }

    [Fact]
    public async Task Garbage_InsteadOfHttp_EndsTheConnectionOnly()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            await socket.ConnectAsync(server.EndPoint);
            await socket.SendAsync("GARBAGE, and no preface of HTTP/2 at all\r\n\r\n"u8.ToArray());
            using var limit = new CancellationTokenSource(RawGrpcClient.Deadline);
            while (await socket.ReceiveAsync(new byte[1024], limit.Token) > 0)
            {
                // An error page, or nothing; then the end.
            }
        }

        using var client = new RawGrpcClient(server.EndPoint);
        Assert.Equal(GrpcStatusCode.Ok, (await client.CallAsync("/test.Echo/Unary", new StringValue())).Status);
    }

    private static byte[] Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }

    private static byte[] Unpack(byte[] bytes)
    {
        using var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        gzip.CopyTo(plain);
        return plain.ToArray();
    }

    private static async Task<string> ReadAsync(Stream answers)
    {
        byte[] prefix = new byte[MessagePrefix.Bytes];
        await answers.ReadExactlyAsync(prefix);
        Assert.True(MessagePrefix.TryRead(new(prefix), int.MaxValue, out MessagePrefix read));
        byte[] message = new byte[read.Length];
        await answers.ReadExactlyAsync(message);
        return StringValue.Parser.ParseFrom(message).Value;
    }
}
