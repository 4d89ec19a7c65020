namespace GrayMQ.Chaos.Rolling;

/// <summary>A client that goes on by itself from its start until it is told to stop.</summary>
internal abstract class RunningLoad : ILoad
{
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public async Task StartAsync()
    {
        await ConnectAsync();
        _running = Task.Run(() => RunAsync(_stop.Token));
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await CloseAsync();
        _stop.Dispose();
    }

    /// <summary>What comes before all else, and fails the start when it fails.</summary>
    protected virtual Task ConnectAsync() => Task.CompletedTask;

    protected abstract Task RunAsync(CancellationToken stop);

    /// <summary>Gives back what it was made with, after the end.</summary>
    protected abstract ValueTask CloseAsync();
}
