using Gateway.Benchmarks.Processes;

namespace Gateway.Benchmarks.Systems;

/// <summary>
/// nginx as one would set it up before a model server: connections kept on both sides and never retired, no buffering so
/// that chunks pass at once, no log.
/// </summary>
internal static class NginxServer
{
    public static async Task<BenchSystem> StartAsync(string folder, string upstream, CancellationToken cancel)
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        var file = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(file, Configuration(folder, new Uri(url).Authority, new Uri(upstream).Authority), cancel);
        var process = OwnProcess.Start(BenchSystem.Nginx, folder, ["nginx", "-c", file, "-e", "stderr"]);
        await UntilUp.AnswersAsync(process, url, mustSucceed: false, cancel);
        return new BenchSystem(BenchSystem.Nginx, url, process);
    }

    private static string Configuration(string folder, string listen, string upstream) =>
        $$"""
        daemon off;
        worker_processes 1;
        pid {{folder}}/nginx.pid;
        error_log stderr error;
        events { worker_connections 8192; }
        http {
          access_log off;
          keepalive_requests 100000000;
          client_max_body_size 64m;
          client_body_temp_path {{folder}}/nginx-body;
          proxy_temp_path {{folder}}/nginx-proxy;
          fastcgi_temp_path {{folder}}/nginx-fastcgi;
          uwsgi_temp_path {{folder}}/nginx-uwsgi;
          scgi_temp_path {{folder}}/nginx-scgi;
          upstream bench {
            server {{upstream}};
            keepalive 64;
            keepalive_requests 100000000;
          }
          server {
            listen {{listen}};
            location / {
              proxy_pass http://bench;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
              proxy_buffering off;
            }
          }
        }

        """;
}
