using System.Diagnostics;
using GrayMQ.Broker.Serving;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>A broker whose disk takes no more of what has to be there before anybody is answered by it.</summary>
public sealed class GrayDiskTests : GrayWireTests
{
    [Fact]
    public async Task State_ThatTheDiskRefuses_IsActedOnOnceThereIsRoom()
    {
        using var told = new ToldLog();
        using var disk = new SmallDisk();
        await using (GrayFixture gray = await GrayFixture.StartAsync(null, told, store => disk.MountAt(Path.Combine(store, "state"))))
        {
            await gray.CreateAsync(Topic);
            Assert.Equal(3, await gray.SendAsync(Topic, "before", gray: true, 3));
            disk.Fill();

            // The database has taken some room before it needs it: states that are long use that up.
            Task taken;
            do
            {
                taken = gray.State.TellAsync(snapshot => snapshot with { Topics = [.. Enumerable.Range(0, 1_000).Select(Filler)] });
                await Eventually.TrueAsync(
                    () => taken.IsCompleted || told.Of("GrayStateNotTaken").Count > 0, "the state is taken, or the broker says that it cannot be");
            }
            while (taken.IsCompleted);

            Task switched = gray.State.SetTopicAsync(Topic, 6);
            Assert.Equal(3, await gray.SendAsync(Topic, "meanwhile", gray: true, 3));
            Assert.False(switched.IsCompleted);
            disk.MakeRoom();

            await switched;
            await taken;
            Assert.Equal(5, await gray.SendAsync(Topic, "after", gray: true, 3));
        }
    }

    private static GrayTopic Filler(int number) =>
        new() { Name = $"Filler{number}-{new string('x', 100)}", Queues = 6, Size = 2, State = GrayTopicState.On };

    /// <summary>A file system of its own that can be filled. It takes the right to mount one, which CI has and not everybody.</summary>
    private sealed class SmallDisk : IDisposable
    {
        private readonly string _path = Directory.CreateTempSubdirectory("graymq-disk-").FullName;
        private bool _isMounted;

        private string Ballast => Path.Combine(_path, "ballast");

        public void MountAt(string path)
        {
            _isMounted = TryRun("mount", "-t", "tmpfs", "-o", "size=64m", "none", _path);
            Assert.SkipUnless(_isMounted, "no file system can be mounted here");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            Directory.CreateSymbolicLink(path, Directory.CreateDirectory(Path.Combine(_path, "state")).FullName);
        }

        public void Fill()
        {
            using FileStream file = File.Create(Ballast);
            byte[] block = new byte[4096];
            try
            {
                while (true)
                {
                    file.Write(block);
                    file.Flush();
                }
            }
            catch (IOException)
            {
                // Full.
            }
        }

        public void MakeRoom() => File.Delete(Ballast);

        public void Dispose()
        {
            if (_isMounted)
            {
                TryRun("umount", "--lazy", _path);
            }

            Directory.Delete(_path, recursive: true);
        }

        private static bool TryRun(string command, params string[] arguments)
        {
            try
            {
                using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
                process.WaitForExit();
                return process.ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }
    }
}
