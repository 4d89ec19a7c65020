using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Load;

/// <summary>One HTTP/2 connection to a broker's messaging service: as much of gRPC as a load needs.</summary>
internal sealed class GrpcChannel : IDisposable
{
    private const int PrefixBytes = 5;

    private static readonly MediaTypeHeaderValue ContentType = new("application/grpc");

    private readonly HttpClient _http;
    private readonly string _clientId;

    public GrpcChannel(LoadOptions options, string clientId)
    {
        _clientId = clientId;
        _http = new HttpClient(new SocketsHttpHandler { EnableMultipleHttp2Connections = false, UseProxy = false })
        {
            BaseAddress = new Uri(string.Create(
                CultureInfo.InvariantCulture, $"http://{options.Broker.Address}:{options.GrpcPort}/apache.rocketmq.v2.MessagingService/")),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser, CancellationToken cancel)
        where T : IMessage<T> => (await StreamAsync(method, request, parser, cancel))[0];

    /// <summary>All messages that a call is answered with.</summary>
    public async Task<List<T>> StreamAsync<T>(string method, IMessage request, MessageParser<T> parser, CancellationToken cancel)
        where T : IMessage<T>
    {
        using HttpResponseMessage response = await OpenAsync(method, new ByteArrayContent(Frame(request)), cancel);
        byte[] body = await response.Content.ReadAsByteArrayAsync(cancel);
        var messages = new List<T>();
        for (int at = 0; at + PrefixBytes <= body.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(at + 1));
            messages.Add(parser.ParseFrom(body, at + PrefixBytes, length));
            at += PrefixBytes + length;
        }

        return messages.Count > 0
            ? messages
            : throw new IOException($"{method} was answered nothing, status {string.Join(' ', response.TrailingHeaders)}");
    }

    public async Task<HttpResponseMessage> OpenAsync(string method, HttpContent content, CancellationToken cancel)
    {
        content.Headers.ContentType = ContentType;
        var request = new HttpRequestMessage(HttpMethod.Post, method)
        {
            Content = content,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("x-mq-client-id", _clientId);
        request.Headers.TryAddWithoutValidation("x-mq-language", "DOTNET");
        request.Headers.TryAddWithoutValidation("te", "trailers");
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }

    /// <summary>Opens a telemetry stream and tells settings on it; returns when they are answered.</summary>
    public async Task TellAsync(V2.Settings settings, CancellationToken cancel)
    {
        HttpResponseMessage response = await OpenAsync(
            "Telemetry", new Endless(Frame(new V2.TelemetryCommand { Settings = settings })), cancel);
        Stream answers = await response.Content.ReadAsStreamAsync(cancel);
        await answers.ReadExactlyAsync(new byte[1], cancel);
    }

    public static byte[] Frame(IMessage message)
    {
        byte[] frame = new byte[PrefixBytes + message.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - PrefixBytes);
        message.WriteTo(frame.AsSpan(PrefixBytes));
        return frame;
    }

    public void Dispose() => _http.Dispose();

    /// <summary>A body that begins and does not end.</summary>
    private sealed class Endless(byte[] beginning) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(beginning);
            await stream.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
