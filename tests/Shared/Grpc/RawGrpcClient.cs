using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using Google.Protobuf;
using GrayMQ.Grpc.Framing;

namespace GrayMQ.Testing;

/// <summary>A client that says whatever a test wants, by HTTP/2 frames of .NET's own.</summary>
internal sealed class RawGrpcClient : IDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http;

    /// <param name="before">What a connection begins with, before TLS, as from a proxy.</param>
    public RawGrpcClient(IPEndPoint server, bool tls = false, byte[]? before = null)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = before is null ? null : (_, cancel) => ConnectAsync(server, before, cancel),
            EnableMultipleHttp2Connections = false,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        };
        _http = new HttpClient(handler)
        {
            BaseAddress = new Uri($"{(tls ? "https" : "http")}://{server}"),
            Timeout = Deadline,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    private static async ValueTask<Stream> ConnectAsync(IPEndPoint server, byte[] before, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(server, cancel);
            await socket.SendAsync(before, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public static byte[] Frame(IMessage message) => Frame(message.ToByteArray());

    public static byte[] Frame(byte[] message, bool packed = false)
    {
        byte[] frame = new byte[MessagePrefix.Bytes + message.Length];
        new MessagePrefix(packed, message.Length).Write(frame);
        message.CopyTo(frame, MessagePrefix.Bytes);
        return frame;
    }

    public Task<Answer> CallAsync(string method, IMessage request, params (string Name, string Value)[] headers) =>
        CallAsync(method, Frame(request), headers);

    /// <summary>Sends these bytes as the whole of the client's side, and reads the server's to its end.</summary>
    public async Task<Answer> CallAsync(string method, byte[] body, params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage response = await OpenAsync(method, new ByteArrayContent(body), headers);
        byte[] bytes = await response.Content.ReadAsByteArrayAsync();
        return Answer.Of(response, bytes);
    }

    /// <summary>Sends a request and returns when the answer begins.</summary>
    public async Task<HttpResponseMessage> OpenAsync(
        string method, HttpContent content, (string Name, string Value)[]? headers = null, CancellationToken cancel = default)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, method) { Content = content, Version = HttpVersion.Version20 };
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        foreach ((string name, string value) in headers ?? [])
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => _http.SendAsync(request);

    public void Dispose() => _http.Dispose();

    /// <summary>How a call ended.</summary>
    internal sealed record Answer(
        GrpcStatusCode? Status, string Message, string? Details, string? Encoding, IReadOnlyList<(bool Packed, byte[] Bytes)> Messages)
    {
        public static Answer Of(HttpResponseMessage response, byte[] body)
        {
            var messages = new List<(bool, byte[])>();
            for (int at = 0; at < body.Length;)
            {
                Assert.True(MessagePrefix.TryRead(new(body.AsMemory(at)), int.MaxValue, out MessagePrefix prefix));
                at += MessagePrefix.Bytes;
                messages.Add((prefix.IsCompressed, body[at..(at + prefix.Length)]));
                at += prefix.Length;
            }

            return new Answer(
                Find(response, "grpc-status") is { } status ? (GrpcStatusCode)int.Parse(status, null) : null,
                Uri.UnescapeDataString(Find(response, "grpc-message") ?? ""),
                Find(response, "grpc-status-details-bin"),
                Find(response, "grpc-encoding"),
                messages);
        }

        public T Only<T>(MessageParser<T> parser)
            where T : IMessage<T> => parser.ParseFrom(Assert.Single(Messages).Bytes);

        private static string? Find(HttpResponseMessage response, string name) =>
            response.TrailingHeaders.TryGetValues(name, out IEnumerable<string>? values) || response.Headers.TryGetValues(name, out values)
                ? values.Single()
                : null;
    }
}
