namespace GrayMQ.Broker.Lifecycle;

public sealed class StatusFileTests : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("graymq-status-").FullName, "ready");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Fact]
    public async Task File_IsThereWhileTheBrokerIsReady()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync(("statusFile", _path));
        Assert.True(File.Exists(_path));

        await broker.DrainAsync();
        Assert.False(File.Exists(_path));

        await broker.UndrainAsync();
        Assert.True(File.Exists(_path));
        await broker.Broker.StopServingAsync();
        Assert.False(File.Exists(_path));
    }

    [Fact]
    public async Task File_RemovedAndPutBack_AsksToLeaveAndToStay()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync(("statusFile", _path));

        File.Delete(_path);
        broker.Time.Advance(Look);
        await broker.UntilAsync(report => report.State == "drained", "leaving");
        Assert.Equal("status file", (await broker.ShowAsync()).AskedBy);

        await File.WriteAllTextAsync(_path, "", TestContext.Current.CancellationToken);
        await broker.UntilAsync(report => report.State == "serving", "staying");
    }

    [Fact]
    public async Task File_ThatAnOperatorsDrainRemoved_PutBack_MeansNothing()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync(("statusFile", _path));
        await broker.DrainAsync();
        await broker.UntilAsync(report => report.State == "drained", "leaving");

        await File.WriteAllTextAsync(_path, "", TestContext.Current.CancellationToken);
        broker.Time.Advance(Look);

        Assert.Equal("drained", (await broker.ShowAsync()).State);
    }
}
