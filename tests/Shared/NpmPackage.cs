namespace GrayMQ.Testing;

/// <summary>
/// An npm package, installed from the registry that npm is set to, in the version and with the digests of package-lock.json, into a
/// folder of this test run, beside the script that drives it.
/// </summary>
/// <param name="folder">Where package.json is, beside the tests.</param>
/// <param name="script">What drives it, in the same folder.</param>
public abstract class NpmPackage(string folder, string script) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("graymq-npm-").FullName;

    /// <summary>The script that drives it.</summary>
    public string Script => Path.Combine(_folder, script);

    public async ValueTask InitializeAsync() =>
        await NpmInstall.RunAsync(Path.Combine(AppContext.BaseDirectory, folder), _folder);

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
