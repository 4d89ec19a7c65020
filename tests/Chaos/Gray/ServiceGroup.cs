namespace GrayMQ.Chaos.Gray;

/// <summary>The clients of one consumer group, by version.</summary>
internal sealed class ServiceGroup(ClientKind kind, string nameServers, GrayLedger ledger, SoakLog log) : IAsyncDisposable
{
    private readonly Dictionary<ServiceVersion, List<ClientProcess>> _clients = [];
    private readonly SemaphoreSlim _changing = new(1);
    private int _number;

    public ClientKind Kind => kind;

    public string Name { get; } = $"soak-{kind}".ToLowerInvariant();

    /// <summary>The rule by which clients of a version are gray; null where they say it themselves.</summary>
    public string? RuleOf(ServiceVersion version) => kind == ClientKind.Aware ? null : $"*@{version.Name}-*";

    public async Task StartAsync(ServiceVersion version, int count, bool gray)
    {
        await _changing.WaitAsync();
        try
        {
            List<ClientProcess> started = [.. Enumerable.Range(0, count).Select(_ => New(version, gray))];
            _clients[version] = [.. _clients.GetValueOrDefault(version) ?? [], .. started];
            await Task.WhenAll(started.Select(client => client.UntilReadyAsync()));
        }
        finally
        {
            _changing.Release();
        }
    }

    public async Task StopAsync(ServiceVersion version)
    {
        await _changing.WaitAsync();
        try
        {
            if (_clients.Remove(version, out List<ClientProcess>? clients))
            {
                await Task.WhenAll(clients.Select(client => client.StopAsync()));
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Kills a client, of a version that has others, and starts one in its place.</summary>
    /// <param name="grayVersion">The version whose clients say that they are gray.</param>
    public async Task ReplaceOneAsync(Random random, TimeSpan pause, Func<ServiceVersion?> grayVersion)
    {
        await _changing.WaitAsync();
        try
        {
            (ServiceVersion version, List<ClientProcess> clients) =
                _clients.OrderBy(pair => pair.Key.Number).ElementAt(random.Next(_clients.Count));
            int index = random.Next(clients.Count);
            ledger.WasAway(clients[index].Instance, log.Seconds, log.Seconds);
            await clients[index].DisposeAsync();
            await Task.Delay(pause);
            clients[index] = New(version, grayVersion() == version);
            await clients[index].UntilReadyAsync();
        }
        finally
        {
            _changing.Release();
        }
    }

    public void Tell(ServiceVersion version, string command)
    {
        foreach (ClientProcess client in _clients.GetValueOrDefault(version)?.ToArray() ?? [])
        {
            client.Tell(command);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _changing.WaitAsync();
        foreach (ClientProcess client in _clients.Values.SelectMany(clients => clients))
        {
            await client.DisposeAsync();
        }

        _changing.Dispose();
    }

    private ClientProcess New(ServiceVersion version, bool gray)
    {
        string instance = $"{version.Name}-{Interlocked.Increment(ref _number)}";
        return new ClientProcess(
            kind,
            nameServers,
            Name,
            instance,
            version.Shape,
            gray,
            (accepted, id, place) =>
            {
                log.Consumed(accepted, Name, instance, id, place);
                if (accepted)
                {
                    ledger.Accept(Name, id, new Acceptance(version.Number, instance, log.Seconds, place));
                }
            });
    }
}
