using GrayMQ.Client.Sessions;

namespace GrayMQ.Client.Tests.Sessions;

public class SessionsTests
{
    [Fact]
    public async Task Pulse_WokenWhileNobodyWaits_KeepsIt()
    {
        var pulse = new Pulse(TimeProvider.System);
        pulse.Wake();
        pulse.Wake();

        await pulse.WaitAsync(TimeSpan.FromHours(1), default);

        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        var empty = new Pulse(time);
        Task waiting = empty.WaitAsync(TimeSpan.FromSeconds(5), default);
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(waiting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        await waiting.WaitAsync(Eventually.Deadline);
    }

    [Fact]
    public async Task Pulse_Cancelled_Throws()
    {
        using var cancel = new CancellationTokenSource();
        Task waiting = new Pulse(TimeProvider.System).WaitAsync(TimeSpan.FromHours(1), cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Gate_Closed_LetsNobodyIn_AndEndsWhenAllHaveLeft()
    {
        var gate = new Gate();
        Assert.True(gate.TryEnter());
        Assert.True(gate.TryEnter());

        Task closing = gate.CloseAsync();

        Assert.False(gate.TryEnter());
        gate.Leave();
        Assert.False(closing.IsCompleted);
        gate.Leave();
        await closing.WaitAsync(Eventually.Deadline);
        Assert.False(gate.TryEnter());
        await gate.CloseAsync().WaitAsync(Eventually.Deadline);
    }

    [Fact]
    public async Task Gate_ManyAtOnce_CountsThem()
    {
        var gate = new Gate();
        int inside = 0;
        Task[] callers = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            while (gate.TryEnter())
            {
                Interlocked.Increment(ref inside);
                Interlocked.Decrement(ref inside);
                gate.Leave();
            }
        }))];

        await gate.CloseAsync().WaitAsync(Eventually.Deadline);

        Assert.Equal(0, Volatile.Read(ref inside));
        await Task.WhenAll(callers).WaitAsync(Eventually.Deadline);
    }

    [Theory]
    [InlineData(1, 20)]
    [InlineData(2, 40)]
    [InlineData(5, 320)]
    [InlineData(6, 500)]
    [InlineData(1000, 500)]
    public void Backoff_Doubles_UpToItsLimit(int failures, int expectedMs) => Assert.Equal(
        expectedMs,
        new Backoff(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(500)).After(failures).TotalMilliseconds);

    [Fact]
    public void ClientIdentity_WithoutAName_IsUnique()
    {
        string id = ClientIdentity.Create(null);

        Assert.NotEqual(id, ClientIdentity.Create(null));
        Assert.Matches(@"^[0-9a-f.:]+@\d+#\d+$", id);
        Assert.EndsWith("@DEFAULT", ClientIdentity.Create("DEFAULT"), StringComparison.Ordinal);
    }
}
