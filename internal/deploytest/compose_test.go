package deploytest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"chartcode/internal/config"
)

// compose is all of the compose specification that the file uses. Parsing is strict: an unknown key fails.
type compose struct {
	Name      string             `yaml:"name"`
	Chartcode map[string]any     `yaml:"x-chartcode"`
	Env       map[string]string  `yaml:"x-environment"`
	Services  map[string]service `yaml:"services"`
	Volumes   map[string]any     `yaml:"volumes"`
}

type service struct {
	Image string `yaml:"image"`
	Build *struct {
		Context string            `yaml:"context"`
		Args    map[string]string `yaml:"args"`
	} `yaml:"build"`
	Command     []string          `yaml:"command"`
	Restart     string            `yaml:"restart"`
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	SecurityOpt []string          `yaml:"security_opt"`
	Tmpfs       []string          `yaml:"tmpfs"`
	Environment map[string]string `yaml:"environment"`
	Ports       []string          `yaml:"ports"`
	Volumes     []string          `yaml:"volumes"`
	ShmSize     string            `yaml:"shm_size"`
	StopGrace   string            `yaml:"stop_grace_period"`
	DependsOn   map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
	Healthcheck *struct {
		Test        []string `yaml:"test"`
		Interval    string   `yaml:"interval"`
		Timeout     string   `yaml:"timeout"`
		Retries     int      `yaml:"retries"`
		StartPeriod string   `yaml:"start_period"`
	} `yaml:"healthcheck"`
	Deploy *struct {
		Replicas int `yaml:"replicas"`
	} `yaml:"deploy"`
}

// root is the repository's folder.
const root = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func parse(t *testing.T) compose {
	t.Helper()
	var c compose
	if err := yaml.UnmarshalWithOptions([]byte(read(t, "docker-compose.yml")), &c, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestComposeSetsVariablesThatTheProgramReads(t *testing.T) {
	known := config.Variables()
	ours := 0
	for name, service := range parse(t).Services {
		if service.Build == nil {
			continue
		}
		ours++
		for variable := range service.Environment {
			if !slices.Contains(known, variable) {
				t.Errorf("service %s sets %s, which the program does not read", name, variable)
			}
		}
		for _, needed := range []string{"CHARTCODE_DATABASE_URL", "CHARTCODE_NATS_URL"} {
			if service.Environment[needed] == "" {
				t.Errorf("service %s does not set %s", name, needed)
			}
		}
	}
	if ours != 3 {
		t.Errorf("%d services run the program, want migrate, web and work", ours)
	}
}

func TestComposeServices(t *testing.T) {
	c := parse(t)
	for name, service := range c.Services {
		once := service.Restart == "no"
		if service.Healthcheck == nil && !once {
			t.Errorf("service %s has no health check", name)
		}
		if _, tag, found := strings.Cut(service.Image, ":"); !found || tag == "latest" {
			t.Errorf("the image of service %s, %s, has no fixed version", name, service.Image)
		}
		for on, dependency := range service.DependsOn {
			other, ok := c.Services[on]
			if !ok {
				t.Errorf("service %s depends on %s, which is none", name, on)
			}
			if want := map[bool]string{true: "service_completed_successfully", false: "service_healthy"}[other.Restart == "no"]; dependency.Condition != want {
				t.Errorf("service %s waits for %s to be %q, want %q", name, on, dependency.Condition, want)
			}
		}
		for _, volume := range service.Volumes {
			source, _, _ := strings.Cut(strings.TrimPrefix(volume, "${CODESETS_FOLDER:-"), ":")
			if _, declared := c.Volumes[source]; !declared && !strings.HasPrefix(source, ".") {
				t.Errorf("service %s uses the volume %q, which is not declared", name, source)
			}
		}
		for _, port := range service.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("service %s opens %s to the network", name, port)
			}
		}
		if service.Build != nil && (!service.ReadOnly || !slices.Equal(service.CapDrop, []string{"ALL"})) {
			t.Errorf("service %s may do more than it needs", name)
		}
	}
	if !strings.HasPrefix(c.Services["postgres"].Image, "pgvector/pgvector:") {
		t.Errorf("the database's image is %s", c.Services["postgres"].Image)
	}
	if work := c.Services["work"]; work.Deploy == nil || len(work.Ports) > 0 {
		t.Error("workers cannot be scaled")
	}
}

// TestComposeCommands asks the program itself whether it knows the commands.
func TestComposeCommands(t *testing.T) {
	program := filepath.Join(t.TempDir(), "chartcode")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/chartcode")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as the Makefile builds it, so that nothing is compiled once more
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	try := func(service string, command []string) {
		out, err := exec.CommandContext(t.Context(), program, append(slices.Clone(command), "--help")...).CombinedOutput()
		if err != nil {
			t.Errorf("service %s: %q is no command: %v: %s", service, command, err, out)
		}
	}
	for name, service := range parse(t).Services {
		if service.Build == nil {
			continue
		}
		try(name, service.Command)
		if check := service.Healthcheck; check != nil {
			if !slices.Equal(check.Test[:2], []string{"CMD", "/chartcode"}) {
				t.Errorf("service %s: the image has no program %q", name, check.Test)
			}
			try(name, check.Test[2:])
		}
	}
}

// TestComposeHoldsNoSecret: what is secret comes from the environment, and has no default value.
func TestComposeHoldsNoSecret(t *testing.T) {
	secret := regexp.MustCompile(`PASSWORD|TOKEN|API_KEY|SECRET`)
	reference := regexp.MustCompile(`\$\{([A-Z_]+)(:[-?]([^}]*))?\}`)
	example := read(t, ".env.example")
	for name, service := range parse(t).Services {
		for variable, value := range service.Environment {
			found := reference.FindAllStringSubmatch(value, -1)
			if secret.MatchString(variable) && (len(found) != 1 || found[0][0] != value) {
				t.Errorf("service %s: %s is written down", name, variable)
			}
			for _, one := range found {
				if secret.MatchString(one[1]) && strings.HasPrefix(one[2], ":-") && one[3] != "" {
					t.Errorf("service %s: %s has a default", name, one[1])
				}
				if strings.HasPrefix(one[2], ":?") && !strings.Contains(example, one[1]+"=\n") {
					t.Errorf(".env.example lacks %s", one[1])
				}
			}
		}
	}
	if strings.Contains(read(t, ".gitignore"), ".env\n") == false {
		t.Error(".env is not ignored by git")
	}
}

// What eval commands write in the web's container is kept, and shown by its pages.
func TestComposeKeepsEvaluations(t *testing.T) {
	web := parse(t).Services["web"]
	dir := web.Environment["CHARTCODE_DATA_DIR"]
	if !slices.ContainsFunc(web.Volumes, func(v string) bool { return strings.HasSuffix(v, ":"+dir) }) || dir == "" {
		t.Errorf("the data directory %q of the web is in none of the volumes %v", dir, web.Volumes)
	}
	// A volume takes owner and rights from the image.
	if !regexp.MustCompile(`mkdir -m 1777 .*/out` + dir + `\b`).MatchString(read(t, "Dockerfile")) {
		t.Errorf("the image has no folder %s that the program's user may write", dir)
	}
}
