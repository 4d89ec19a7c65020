using System.Diagnostics;

namespace GrayMQ.Testing;

/// <summary>
/// An npm package, installed from the registry that npm is set to, in the version and with the digests of package-lock.json, into a
/// folder of this test run, beside the script that drives it.
/// </summary>
/// <param name="folder">Where package.json is, beside the tests.</param>
/// <param name="script">What drives it, in the same folder.</param>
public abstract class NpmPackage(string folder, string script) : IAsyncLifetime
{
    private static readonly TimeSpan InstallDeadline = TimeSpan.FromMinutes(3);

    private readonly string _folder = Directory.CreateTempSubdirectory("graymq-npm-").FullName;

    /// <summary>The script that drives it.</summary>
    public string Script => Path.Combine(_folder, script);

    public async ValueTask InitializeAsync()
    {
        foreach (string file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, folder)))
        {
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        }

        using var limit = new CancellationTokenSource(InstallDeadline);
        using Process npm = Process.Start(
            new ProcessStartInfo("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            {
                WorkingDirectory = _folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        Task<string> output = npm.StandardOutput.ReadToEndAsync(limit.Token);
        Task<string> errors = npm.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await npm.WaitForExitAsync(limit.Token);
        }
        finally
        {
            if (!npm.HasExited)
            {
                npm.Kill(entireProcessTree: true);
            }
        }

        Assert.True(npm.ExitCode == 0, $"npm ci failed: {await output} {await errors}");
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
