using GrayMQ.Protocol.Commands;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Rehearsals;

public class RehearsalTests
{
    // Once for the process, so that all of it is one test.
    [Fact]
    public async Task Hold_Once_ServesEveryKindOfRequestAndLeavesNothing()
    {
        string root = Directory.CreateTempSubdirectory("graymq-rehearsal-test-").FullName;
        string remains = Directory.CreateDirectory(Path.Combine(root, "rehearsal-999999999")).FullName;
        await File.WriteAllTextAsync(Path.Combine(remains, "lock"), "");
        using var enough = new CancellationTokenSource();

        Task<IReadOnlyDictionary<RequestCode, long>> held = Rehearsal.HoldAsync(
            TimeSpan.FromSeconds(3), root, TimeProvider.System, NullLogger.Instance, enough.Token);
        IReadOnlyDictionary<RequestCode, long> succeeded = await held;

        RequestCode[] played =
        [
            RequestCode.Heartbeat, RequestCode.SendMessageV2, RequestCode.PullMessage, RequestCode.UpdateConsumerOffset,
            RequestCode.PopMessage, RequestCode.AckMessage,
        ];
        Assert.Equal(played.Order(), succeeded.Keys.Order());
        Assert.Empty(Directory.EnumerateFileSystemEntries(root));
        Assert.Empty(await Rehearsal.HoldAsync(TimeSpan.FromSeconds(3), root, TimeProvider.System, NullLogger.Instance, enough.Token));
        Directory.Delete(root);
    }
}
