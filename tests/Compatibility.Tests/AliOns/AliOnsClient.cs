using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;

namespace GrayMQ.Compatibility.Tests.AliOns;

/// <summary>A producer or consumer of ali-ons in a Node.js process of its own, which ends with this object at the latest.</summary>
internal sealed class AliOnsClient : IAsyncDisposable
{
    /// <summary>How long anything that must happen may take.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private const int MaxLogLines = 20;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly Process _process;
    private readonly Channel<Event> _events = Channel.CreateUnbounded<Event>();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly List<Event> _messages = [];
    private readonly Task _reading;
    private readonly Task _readingErrors;
    private volatile bool _isDisposed;

    private AliOnsClient(Process process)
    {
        _process = process;
        _reading = ReadAsync();
        _readingErrors = ReadErrorsAsync();
    }

    /// <summary>Every message that the consumer has been given, in its order, as far as they were waited for.</summary>
    public IReadOnlyList<Event> Messages => _messages;

    /// <summary>The topic's queues that the consumer has now, as far as was waited for.</summary>
    public IReadOnlyList<int> Queues { get; private set; } = [];

    public static Task<AliOnsClient> StartProducerAsync(AliOnsPackage package, string nameServer, string group) =>
        StartAsync(package, "producer", new { nameServer, group });

    public static Task<AliOnsClient> StartConsumerAsync(
        AliOnsPackage package, string nameServer, string group, string topic, string expression) =>
        StartConsumerAsync(package, nameServer, group, null, (topic, expression));

    /// <param name="id">Begins the client's id; null for 127.0.0.1.</param>
    public static Task<AliOnsClient> StartConsumerAsync(
        AliOnsPackage package, string nameServer, string group, string? id, params (string Topic, string Expression)[] subscriptions) =>
        StartAsync(package, "consumer", new
        {
            nameServer,
            group,
            id,
            subscriptions = subscriptions.Select(each => new { topic = each.Topic, expression = each.Expression }),
        });

    private static async Task<AliOnsClient> StartAsync(AliOnsPackage package, string role, object settings)
    {
        Process process = Process.Start(
            new ProcessStartInfo("node", [package.Script, role, JsonSerializer.Serialize(settings, Json)])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        var client = new AliOnsClient(process);
        try
        {
            await client.WaitAsync(client => client.IsReady, "ready");
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }

        return client;
    }

    /// <summary>What it logged last, and the errors that it told of.</summary>
    public string Tail => string.Join('\n', _log.TakeLast(MaxLogLines));

    private bool IsReady { get; set; }

    private bool IsClosed { get; set; }

    private List<Event> Sent { get; } = [];

    /// <summary>Sends messages one after the other, each again until the broker has taken it.</summary>
    /// <returns>What the producer was answered, in the order of the messages.</returns>
    public async Task<IReadOnlyList<Event>> SendAsync(params Outgoing[] messages)
    {
        Sent.Clear();
        await CommandAsync(new { send = messages });
        await WaitAsync(client => client.Sent.Count == messages.Length, $"{messages.Length} messages sent");
        return [.. Sent];
    }

    /// <summary>Waits until the consumer has been given all of these bodies, in whatever order.</summary>
    public Task WaitForMessagesAsync(IReadOnlyCollection<string> bodies) => WaitAsync(
        client => bodies.All(body => client._messages.Exists(message => message.Body == body)),
        $"{bodies.Count} messages received");

    /// <summary>Waits until the consumer's queues of its topic are such.</summary>
    public Task WaitForQueuesAsync(Func<IReadOnlyList<int>, bool> condition, string what) =>
        WaitAsync(client => condition(client.Queues), what);

    /// <summary>Tells of every message as it comes, until this object ends the client.</summary>
    /// <exception cref="InvalidOperationException">The client has ended by itself; the message has what it logged last.</exception>
    public async Task FollowAsync(Action<Event> take)
    {
        await foreach (Event next in _events.Reader.ReadAllAsync())
        {
            Apply(next);
            if (next.Kind == "message")
            {
                take(next);
            }
        }

        if (!_isDisposed)
        {
            throw new InvalidOperationException($"the client has ended by itself; log:\n{Tail}");
        }
    }

    /// <summary>Ends the client in good order: a consumer commits its offsets and unregisters.</summary>
    public async Task CloseAsync()
    {
        await CommandAsync(new { close = true });
        await WaitAsync(client => client.IsClosed, "closed");
        using var limit = new CancellationTokenSource(Deadline);
        await _process.WaitForExitAsync(limit.Token);
        Assert.Equal(0, _process.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
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

    private async Task CommandAsync(object command)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(command, Json));
        await _process.StandardInput.FlushAsync();
    }

    private async Task WaitAsync(Func<AliOnsClient, bool> condition, string what)
    {
        using var limit = new CancellationTokenSource(Deadline);
        try
        {
            while (!condition(this))
            {
                Apply(await _events.Reader.ReadAsync(limit.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            Assert.Fail(string.Create(
                CultureInfo.InvariantCulture,
                $"not within {Deadline.TotalSeconds} s: {what}; messages {_messages.Count}, queues {string.Join(',', Queues)}; log:\n{Tail}"));
        }
    }

    private void Apply(Event next)
    {
        switch (next.Kind)
        {
            case "ready":
                IsReady = true;
                break;
            case "closed":
                IsClosed = true;
                break;
            case "sent":
                Sent.Add(next);
                break;
            case "message":
                _messages.Add(next);
                break;
            case "queues":
                Queues = next.Queues!;
                break;
            default:
                _log.Enqueue($"{next.Kind}: {next.Message}");
                break;
        }
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            _events.Writer.TryWrite(JsonSerializer.Deserialize<Event>(line, Json)!);
        }

        _events.Writer.Complete();
    }

    private async Task ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            _log.Enqueue(line);
        }
    }

    /// <summary>What the client told of itself; a field that its kind does not have is null.</summary>
    internal sealed record Event
    {
        [JsonPropertyName("event")]
        public required string Kind { get; init; }

        public string? Topic { get; init; }

        public string? Body { get; init; }

        public string? SendStatus { get; init; }

        public string? MsgId { get; init; }

        public string? Tags { get; init; }

        public string? Keys { get; init; }

        public int? QueueId { get; init; }

        public long? QueueOffset { get; init; }

        public int? ReconsumeTimes { get; init; }

        public IReadOnlyList<int>? Queues { get; init; }

        public string? Message { get; init; }
    }

    internal sealed record Outgoing(string Topic, string Tag, string Body, string? Key = null);
}
