using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace GrayMQ.Compatibility.Tests.RocketMqNode;

/// <summary>A client of rocketmq-client-nodejs in a Node.js process of its own, which ends with this object at the latest.</summary>
internal sealed class NodeClient : IAsyncDisposable
{
    /// <summary>How long anything that must happen may take.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    private const int MaxLogLines = 20;

    private readonly Process _process;
    private readonly string _endpoints;
    private readonly bool _tls;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> _calls = new();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly Task _reading;
    private readonly Task _readingErrors;
    private int _lastCall;

    private NodeClient(Process process, string endpoints, bool tls)
    {
        _process = process;
        _endpoints = endpoints;
        _tls = tls;
        _reading = ReadAsync();
        _readingErrors = ReadErrorsAsync();
    }

    /// <summary>The operating system's number of it, which is a part of its client id.</summary>
    public int ProcessId => _process.Id;

    /// <param name="roots">PEM file of the certificate to trust, and to speak TLS; null for plain text.</param>
    public static NodeClient Open(NodePackage package, string endpoints, string? roots = null)
    {
        var start = new ProcessStartInfo("node", [package.Script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (roots is not null)
        {
            start.Environment["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = roots;
        }

        return new NodeClient(Process.Start(start)!, endpoints, roots is not null);
    }

    /// <param name="check">What it answers when it is asked how a transaction ended: commit or rollback.</param>
    public Task ProduceAsync(string topic, string check = "rollback") =>
        CallAsync(new { call = "producer", endpoints = _endpoints, ssl = _tls, topics = new[] { topic }, check });

    public Task ReceiveFromAsync(string group, string topic, string expression = "*", bool sql = false) =>
        CallAsync(new { call = "simple", endpoints = _endpoints, ssl = _tls, group, topic, expression, sql });

    /// <param name="fail">Bodies whose messages it says it cannot handle.</param>
    public Task ConsumeAsync(string group, string topic, params string[] fail) =>
        CallAsync(new { call = "push", endpoints = _endpoints, ssl = _tls, group, topic, expression = "*", fail });

    public async Task<Receipt> SendAsync(Outgoing message) => (await CallAsync(new
    {
        call = "send",
        message.Topic,
        message.Tag,
        message.Keys,
        message.Body,
        message.Properties,
        message.MessageGroup,
        message.DelayMs,
    })).Deserialize<Receipt>(Json)!;

    /// <param name="end">commit or rollback; null leaves the transaction open.</param>
    public async Task<Receipt> SendInTransactionAsync(string topic, string body, string? end) =>
        (await CallAsync(new { call = "transaction", topic, body, end })).Deserialize<Receipt>(Json)!;

    public async Task<string> RecallAsync(string topic, string recallHandle) =>
        (await CallAsync(new { call = "recall", topic, recallHandle }))!.GetValue<string>();

    public async Task<IReadOnlyList<Incoming>> ReceiveAsync(int max, int invisibleMs = 30_000) =>
        (await CallAsync(new { call = "receive", max, invisibleMs })).Deserialize<List<Incoming>>(Json)!;

    /// <summary>Receives until all of these bodies have come, and acks every message.</summary>
    public async Task<IReadOnlyList<Incoming>> ReceiveAllAsync(IReadOnlyCollection<string> bodies)
    {
        var received = new List<Incoming>();
        long started = Stopwatch.GetTimestamp();
        while (!bodies.All(body => received.Exists(message => message.Body == body)))
        {
            Assert.True(
                Stopwatch.GetElapsedTime(started) < Deadline,
                $"of {string.Join(", ", bodies)} only these came: {string.Join(", ", received.Select(message => message.Body))}; {Tail}");
            foreach (Incoming message in await ReceiveAsync(32))
            {
                received.Add(message);
                await AckAsync(message);
            }
        }

        return received;
    }

    public Task AckAsync(Incoming message) => CallAsync(new { call = "ack", message.Index });

    public Task ChangeInvisibleAsync(Incoming message, int invisibleMs) =>
        CallAsync(new { call = "change", message.Index, invisibleMs });

    /// <summary>Waits until a push consumer was given each of these bodies, as often as it stands here; tells all that it was given.</summary>
    public async Task<IReadOnlyList<Incoming>> PushedAsync(params string[] bodies) =>
        (await CallAsync(new { call = "pushed", bodies })).Deserialize<List<Incoming>>(Json)!;

    /// <summary>
    /// Sends until a push consumer was given one. A new group begins with what comes next: a message that it is given settles where that is, in
    /// every queue.
    /// </summary>
    public async Task SendUntilPushedAsync(string topic, string body, NodeClient consumer)
    {
        Task<IReadOnlyList<Incoming>> pushed = consumer.PushedAsync(body);
        while (!pushed.IsCompleted)
        {
            await SendAsync(new Outgoing(topic, body));
        }

        await pushed;
    }

    /// <summary>The messages whose transactions it was asked about.</summary>
    public async Task<IReadOnlyList<Incoming>> CheckedAsync() =>
        (await CallAsync(new { call = "checked" })).Deserialize<List<Incoming>>(Json)!;

    public Task CloseAsync() => CallAsync(new { call = "close" });

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        using var limit = new CancellationTokenSource(Deadline);
        await _process.WaitForExitAsync(limit.Token);
        await _reading;
        await _readingErrors;
        _process.Dispose();
    }

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private string Tail => $"log:\n{string.Join('\n', _log.TakeLast(MaxLogLines))}";

    private async Task<JsonNode?> CallAsync(object call)
    {
        int id = Interlocked.Increment(ref _lastCall);
        var answered = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls[id] = answered;
        JsonNode line = JsonSerializer.SerializeToNode(call, Json)!;
        line["id"] = id;
        await _process.StandardInput.WriteLineAsync(line.ToJsonString());
        await _process.StandardInput.FlushAsync();
        try
        {
            return await answered.Task.WaitAsync(Deadline);
        }
        catch (TimeoutException)
        {
            Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"not within {Deadline.TotalSeconds} s: {line.ToJsonString()}; {Tail}"));
            return null;
        }
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            JsonNode answer = JsonNode.Parse(line)!;
            if (!_calls.TryRemove(answer["id"]!.GetValue<int>(), out TaskCompletionSource<JsonNode?>? call))
            {
                continue;
            }

            if (answer["error"] is { } error)
            {
                call.TrySetException(new NodeClientException($"{error.GetValue<string>()}; {Tail}"));
            }
            else
            {
                call.TrySetResult(answer["result"]);
            }
        }

        foreach (TaskCompletionSource<JsonNode?> call in _calls.Values)
        {
            call.TrySetException(new NodeClientException($"the client's process has ended; {Tail}"));
        }
    }

    private async Task ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            _log.Enqueue(line);
        }
    }

    internal sealed record Outgoing(string Topic, string Body)
    {
        public string? Tag { get; init; }

        public IReadOnlyList<string>? Keys { get; init; }

        public IReadOnlyDictionary<string, string>? Properties { get; init; }

        public string? MessageGroup { get; init; }

        public int? DelayMs { get; init; }
    }

    internal sealed record Receipt(string MessageId, string? TransactionId, long? Offset, string? RecallHandle);

    internal sealed record Incoming
    {
        /// <summary>By which a received message is acked.</summary>
        public int Index { get; init; }

        public required string Body { get; init; }

        public required string MessageId { get; init; }

        public string? Tag { get; init; }

        public IReadOnlyList<string> Keys { get; init; } = [];

        public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

        public string? MessageGroup { get; init; }

        public int DeliveryAttempt { get; init; }

        public bool Corrupted { get; init; }
    }
}

/// <summary>The client's library threw.</summary>
internal sealed class NodeClientException(string message) : Exception(message);
